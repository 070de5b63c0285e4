/** Seconds from the query to an upstream server until its answer. */
export const upstreamBounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5] as const

const names = [
  'queries',
  'cached',
  'shared',
  'stale',
  'failed',
  'refused',
  'refreshed',
  'waiting',
  'upstreamSeconds',
] as const
const serverNames = ['sent', 'answered', 'timeouts', 'errors', 'lame', 'forged', 'isDown'] as const

export type RecursorCount = (typeof names)[number]
export type ServerCount = (typeof serverNames)[number]
export type ServerFigures = Readonly<Record<ServerCount, number>>

export interface RecursorFigures extends Readonly<Record<RecursorCount, number>> {
  readonly servers: readonly ServerFigures[]
  /** By the places of {@link upstreamBounds}, then those above them all. */
  readonly latencies: readonly number[]
}

const latenciesAt = names.length
const serversAt = latenciesAt + upstreamBounds.length + 1

/** The counters of one thread that asks upstream servers, in shared memory: it alone writes them. */
export class RecursorCounters {
  readonly buffer: SharedArrayBuffer
  readonly #cells: Float64Array

  constructor(servers: number, buffer?: SharedArrayBuffer) {
    const bytes = (serversAt + servers * serverNames.length) * 8
    this.buffer = buffer ?? new SharedArrayBuffer(bytes)
    this.#cells = new Float64Array(this.buffer)
  }

  add(name: RecursorCount, amount = 1): void {
    this.#add(names.indexOf(name), amount)
  }

  set(name: RecursorCount, value: number): void {
    this.#cells[names.indexOf(name)] = value
  }

  addTo(server: number, name: ServerCount): void {
    this.#add(serversAt + server * serverNames.length + serverNames.indexOf(name), 1)
  }

  setOf(server: number, name: ServerCount, value: number): void {
    this.#cells[serversAt + server * serverNames.length + serverNames.indexOf(name)] = value
  }

  observe(seconds: number): void {
    let at = 0
    while (at < upstreamBounds.length && seconds > (upstreamBounds[at] ?? 0)) at++
    this.#add(latenciesAt + at, 1)
    this.add('upstreamSeconds', seconds)
  }

  /** Of all threads together. */
  static read(all: readonly RecursorCounters[]): RecursorFigures {
    const cells: number[] = []
    for (const counters of all) {
      for (const [at, count] of counters.#cells.entries()) cells[at] = (cells[at] ?? 0) + count
    }
    const counts = names.map((name, at) => [name, cells[at] ?? 0] as const)
    const servers: ServerFigures[] = []
    for (let at = serversAt; at < cells.length; at += serverNames.length) {
      const figures = serverNames.map((name, place) => [name, cells[at + place] ?? 0] as const)
      const server = Object.fromEntries(figures) as Record<ServerCount, number>
      // Each thread finds it out by itself.
      servers.push({ ...server, isDown: Math.min(1, server.isDown) })
    }
    return {
      ...(Object.fromEntries(counts) as Record<RecursorCount, number>),
      servers,
      latencies: cells.slice(latenciesAt, serversAt),
    }
  }

  #add(at: number, amount: number): void {
    this.#cells[at] = (this.#cells[at] ?? 0) + amount
  }
}

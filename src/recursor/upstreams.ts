/** How the upstream servers are chosen for a question. */
export type Strategy = 'sequential' | 'random'

/** The numbers of one server. The times are on the clock of the caller. */
const field = {
  failures: 0,
  /** Until then it is asked only after the others. */
  downUntilMs: 1,
  noEdnsUntilMs: 2,
  caseLostUntilMs: 3,
} as const
const fields = 4

/** One lost packet says nothing; two in a row say that others should be asked first. */
const failuresForDown = 2
const downMinMs = 1000
const downMaxMs = 30_000
/** So long a server counts as one that cannot do what it was seen not to do. */
const rememberedMs = 10 * 60_000

/** Memory for the state of so many servers, which threads may share. All numbers are 0 at first. */
export function newUpstreamStates(count: number): SharedArrayBuffer {
  return new SharedArrayBuffer(count * fields * Float64Array.BYTES_PER_ELEMENT)
}

/**
 * The state of each upstream server. Servers are numbers, in the order of the configuration. Threads that share it
 * need not agree to the last query.
 */
export class Upstreams {
  readonly #strategy: Strategy
  readonly #cells: Float64Array
  readonly #servers: readonly number[]

  constructor(states: SharedArrayBuffer, strategy: Strategy) {
    this.#strategy = strategy
    this.#cells = new Float64Array(states)
    this.#servers = Array.from({ length: this.#cells.length / fields }, (_, server) => server)
  }

  /** All servers in the order in which to ask them. `random`: from 0 to below 1. */
  order(nowMs: number, random: () => number): readonly number[] {
    if (this.#servers.length === 1) return this.#servers
    const all = [...this.#servers]
    if (this.#strategy === 'random') shuffle(all, random)
    const isDown = (server: number): boolean => this.isDown(server, nowMs)
    return [...all.filter((server) => !isDown(server)), ...all.filter(isDown)]
  }

  isDown(server: number, nowMs: number): boolean {
    return this.#at(server, 'downUntilMs') > nowMs
  }

  takesEdns(server: number, nowMs: number): boolean {
    return this.#at(server, 'noEdnsUntilMs') <= nowMs
  }

  keepsCase(server: number, nowMs: number): boolean {
    return this.#at(server, 'caseLostUntilMs') <= nowMs
  }

  noteAnswer(server: number): void {
    if (this.#at(server, 'failures') === 0) return
    this.#set(server, 'failures', 0)
    this.#set(server, 'downUntilMs', 0)
  }

  noteFailure(server: number, nowMs: number): void {
    const failures = this.#at(server, 'failures') + 1
    this.#set(server, 'failures', failures)
    if (failures < failuresForDown) return
    const downMs = downMinMs * 2 ** (failures - failuresForDown)
    this.#set(server, 'downUntilMs', nowMs + Math.min(downMaxMs, downMs))
  }

  noteNoEdns(server: number, nowMs: number): void {
    this.#set(server, 'noEdnsUntilMs', nowMs + rememberedMs)
  }

  noteCaseLost(server: number, nowMs: number): void {
    this.#set(server, 'caseLostUntilMs', nowMs + rememberedMs)
  }

  #at(server: number, name: keyof typeof field): number {
    return this.#cells[server * fields + field[name]] ?? 0
  }

  #set(server: number, name: keyof typeof field, value: number): void {
    this.#cells[server * fields + field[name]] = value
  }
}

/** Fisher and Yates. */
function shuffle(items: number[], random: () => number): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const [a = 0, b = 0] = [items[at], items[other]]
    items[at] = b
    items[other] = a
  }
}

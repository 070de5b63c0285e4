/** How the upstream servers are chosen for a question. */
export type Strategy = 'sequential' | 'random'

interface State {
  failures: number
  /** Until then, on the clock of the caller, it is asked only after the others. */
  downUntilMs: number
  noEdnsUntilMs: number
  caseLostUntilMs: number
}

/** One lost packet says nothing; two in a row say that others should be asked first. */
const failuresForDown = 2
const downMinMs = 1000
const downMaxMs = 30_000
/** So long a server counts as one that cannot do what it was seen not to do. */
const rememberedMs = 10 * 60_000

const onlyServer: readonly number[] = [0]

/** The state of each upstream server. Servers are numbers, in the order of the configuration. */
export class Upstreams {
  readonly #strategy: Strategy
  readonly #states: readonly State[]

  constructor(count: number, strategy: Strategy) {
    this.#strategy = strategy
    this.#states = Array.from({ length: count }, () => ({
      failures: 0,
      downUntilMs: -Infinity,
      noEdnsUntilMs: -Infinity,
      caseLostUntilMs: -Infinity,
    }))
  }

  /** All servers in the order in which to ask them. `random`: from 0 to below 1. */
  order(nowMs: number, random: () => number): readonly number[] {
    if (this.#states.length === 1) return onlyServer
    const all = [...this.#states.keys()]
    if (this.#strategy === 'random') shuffle(all, random)
    const isDown = (server: number): boolean => this.isDown(server, nowMs)
    return [...all.filter((server) => !isDown(server)), ...all.filter(isDown)]
  }

  isDown(server: number, nowMs: number): boolean {
    return (this.#states[server]?.downUntilMs ?? 0) > nowMs
  }

  takesEdns(server: number, nowMs: number): boolean {
    return (this.#states[server]?.noEdnsUntilMs ?? 0) <= nowMs
  }

  keepsCase(server: number, nowMs: number): boolean {
    return (this.#states[server]?.caseLostUntilMs ?? 0) <= nowMs
  }

  noteAnswer(server: number): void {
    const state = this.#states[server]
    if (state !== undefined) Object.assign(state, { failures: 0, downUntilMs: -Infinity })
  }

  noteFailure(server: number, nowMs: number): void {
    const state = this.#states[server]
    if (state === undefined) return
    state.failures++
    if (state.failures < failuresForDown) return
    const downMs = downMinMs * 2 ** (state.failures - failuresForDown)
    state.downUntilMs = nowMs + Math.min(downMaxMs, downMs)
  }

  noteNoEdns(server: number, nowMs: number): void {
    const state = this.#states[server]
    if (state !== undefined) state.noEdnsUntilMs = nowMs + rememberedMs
  }

  noteCaseLost(server: number, nowMs: number): void {
    const state = this.#states[server]
    if (state !== undefined) state.caseLostUntilMs = nowMs + rememberedMs
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

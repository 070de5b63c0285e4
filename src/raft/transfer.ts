import type { NodeId } from './entry.ts'
import { isVoter } from './config.ts'
import type { RaftState } from './state.ts'
import type { TransferResult } from './verdict.ts'

/**
 * Leadership transfer (thesis §3.10): bring one voter up to date, then let it campaign immediately.
 */
export class Transfer {
  readonly #state: RaftState

  constructor(state: RaftState) {
    this.#state = state
  }

  /** While it lasts nothing is proposed. It is given up after an election time-out. */
  start(to: NodeId): TransferResult {
    const state = this.#state
    if (state.role !== 'leader') return { kind: 'not-leader', leader: state.leader }
    if (to === state.id) return { kind: 'refused', reason: 'already-leader' }
    if (!isVoter(state.config, to)) return { kind: 'refused', reason: 'not-a-voter' }
    state.transferee = to
    state.electionElapsed = 0
    this.advance(to)
    return { kind: 'started' }
  }

  /** `from` has answered: if it is the one and has the whole log, it takes over. */
  advance(from: NodeId): void {
    const { transferee, progress, log, term } = this.#state
    if (transferee !== from || progress.get(from)?.match !== log.lastIndex) return
    this.#state.send({ type: 'timeout-now', to: from, term })
  }

  abort(): void {
    this.#state.transferee = undefined
  }
}

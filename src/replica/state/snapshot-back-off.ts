import type { Random } from '../../base/random.ts'
import type { NodeId } from '../../raft/entry.ts'

const waitMsMin = 1000
const waitMsMax = 60_000

interface Failing {
  /** Transfers in a row that came to nothing. */
  failures: number
  /** When the next one may begin; undefined while one is under way. */
  dueMs: number | undefined
}

/**
 * Followers that could not be sent a snapshot, and when each is to be tried again: a server of an older
 * release that cannot read it will refuse it again, and a large one must not be streamed without end.
 * The wait doubles from a second to a minute.
 */
export class SnapshotBackOff {
  readonly #random: Random
  readonly #failing = new Map<NodeId, Failing>()

  constructor(random: Random) {
    this.#random = random
  }

  /** One is on its way: an earlier one's end says nothing of it. */
  began(id: NodeId): void {
    const failing = this.#failing.get(id)
    if (failing !== undefined) failing.dueMs = undefined
  }

  /** The follower has it: the next failure is a first one again. */
  succeeded(id: NodeId): void {
    this.#failing.delete(id)
  }

  /** It came to nothing; {@link takeDue} names the follower once its wait is over. */
  failed(id: NodeId, nowMs: number): void {
    const failures = (this.#failing.get(id)?.failures ?? 0) + 1
    const waitMs = Math.min(waitMsMin * 2 ** (failures - 1), waitMsMax)
    // Between half of it and all: followers that failed together are not tried together.
    this.#failing.set(id, { failures, dueMs: nowMs + waitMs * (1 - this.#random() / 2) })
  }

  /** Its connection has closed. The server that comes back may run another release, and does not wait. */
  connectionLost(id: NodeId, nowMs: number): void {
    const failing = this.#failing.get(id)
    if (failing?.dueMs === undefined) return
    failing.dueMs = Math.min(failing.dueMs, nowMs + waitMsMin)
  }

  /** Those whose wait is over, each once. */
  takeDue(nowMs: number): readonly NodeId[] {
    const due: NodeId[] = []
    for (const [id, failing] of this.#failing) {
      if (failing.dueMs === undefined || failing.dueMs > nowMs) continue
      failing.dueMs = undefined
      due.push(id)
    }
    return due
  }

  /** This server lost leadership: the next leader starts again. */
  clear(): void {
    this.#failing.clear()
  }
}

import { openVersions } from '../../state/families.ts'
import type { RaftServer } from '../raft-server.ts'

export interface StandstillParts {
  readonly raft: () => RaftServer | undefined
  readonly versions: SharedArrayBuffer
  /** Hands over the leadership of this server; rejects when no server takes it. */
  readonly handOver: () => Promise<unknown>
  /** The greeting of this server has changed. */
  readonly onTurn: () => void
}

/** How long a leader with a damaged state waits for another one to take over. */
const handOverMs = 2000

/**
 * A server whose state is being rebuilt: it hands over its leadership, and behaves as if stopped.
 */
export class Standstill {
  readonly #parts: StandstillParts

  constructor(parts: StandstillParts) {
    this.#parts = parts
  }

  /** Resolves when nothing is applied any more. */
  async begin(): Promise<void> {
    const { raft, handOver } = this.#parts
    this.#say()
    const server = raft()
    if (server === undefined) return
    if (server.isLeader && server.status.config.voters.length > 1) {
      const patience = new Promise((resolve) => setTimeout(resolve, handOverMs))
      await Promise.race([handOver().catch(() => ''), patience])
    }
    server.holdBack('state')
  }

  end(): void {
    const raft = this.#parts.raft()
    this.#say()
    raft?.takePart('state')
    raft?.turn()
  }

  /** To main, and to all who keep answers. */
  #say(): void {
    const { versions, onTurn } = this.#parts
    onTurn()
    openVersions(versions).bumpAll()
  }
}

import { must } from '../../src/base/assert.ts'
import { SessionDeadlines } from '../../src/replica/duties/session-deadlines.ts'
import type { SessionDeadlinesParts } from '../../src/replica/duties/session-deadlines.ts'
import { Operations } from '../../src/replica/writes/operations.ts'
import type { RaftServer } from '../../src/replica/raft-server.ts'
import type { Session } from '../../src/state/session/model.ts'
import type { NodeId } from '../../src/raft/entry.ts'

const renewMs = 3000

export interface ReplicaSessionsParts extends SessionDeadlinesParts {
  readonly self: NodeId
  readonly raft: () => RaftServer | undefined
  readonly ask: <T>(target: { id: NodeId }, kind: string, body: unknown, ms: number) => Promise<T>
}

/** What a process does for sessions: ends them when it leads, and has them renewed by whoever leads. */
export class ReplicaSessions {
  readonly deadlines: SessionDeadlines
  readonly operations: Operations
  readonly parts: ReplicaSessionsParts

  constructor(parts: ReplicaSessionsParts) {
    this.parts = parts
    this.deadlines = new SessionDeadlines(parts)
    const nothing = (): Promise<never> => Promise.reject(new Error('no operator is here'))
    this.operations = new Operations({
      raft: parts.raft,
      self: parts.self,
      forward: nothing,
      snapshot: nothing,
      join: nothing,
      health: () => '',
      sessions: () => this.deadlines,
      idsAt: () => [],
    })
  }

  /** Null: there is no such session. Rejects where there is no leader, or it does not answer. */
  async renew(id: string): Promise<Session | null> {
    const { raft, ask, self } = this.parts
    const leader = raft()?.status.leader
    if (leader === undefined) throw new Error('no leader')
    const reply =
      leader === self
        ? await this.operations.renewSessions([id])
        : await ask<string>({ id: leader }, 'renew-sessions', [id], renewMs)
    return must((JSON.parse(reply) as (Session | null)[])[0])
  }
}

import { SvcdError, svcdError } from '../base/errors.ts'
import type { ConfChange } from '../raft/membership.ts'
import type { NodeId } from '../raft/entry.ts'
import type { ConfChangeResult } from '../raft/verdict.ts'
import type { Operation } from './replica-messages.ts'
import type { RaftServer } from './raft-server.ts'

export interface OperationsParts {
  readonly raft: () => RaftServer | undefined
  readonly self: NodeId
  /** Asks another server the same; rejects when it does not answer or refuses. */
  readonly forward: (to: NodeId, kind: string, body: Buffer) => Promise<Buffer>
  readonly snapshot: () => Promise<string>
}

/** How long a change of the members may take to be committed, and a transfer to be done. */
const changeMs = 7000
const pollMs = 50

/** What operators and joining servers ask for. The leader does it; others pass it on to the leader. */
export class Operations {
  readonly #parts: OperationsParts

  constructor(parts: OperationsParts) {
    this.#parts = parts
  }

  /** Asked for on this server. Rejects with an error of the table. */
  async run(operation: Operation): Promise<string> {
    switch (operation.kind) {
      case 'snapshot':
        return this.#parts.snapshot()
      case 'transfer':
        return this.#atLeader('transfer', operation.to ?? '', (to) => this.#transfer(to))
      case 'change':
        return this.#atLeader('change', operation.change, (change) => this.#change(change))
      case 'leave':
        return this.#leave()
    }
  }

  /** Asked for by another server. */
  async onRequest(kind: string, body: unknown): Promise<string> {
    const raft = this.#mustRaft()
    if (!raft.isLeader && kind !== 'join') throw svcdError('no-leader', {})
    switch (kind) {
      case 'transfer':
        return this.#transfer(body as NodeId)
      case 'change':
        return this.#change(body as ConfChange)
      case 'join': {
        const { id, address } = body as { id: NodeId; address: string }
        const change = { kind: 'add-learner', id, address } as const
        return this.#atLeader('change', change, (asked) => this.#change(asked))
      }
      default:
        throw svcdError('unknown-request', { kind })
    }
  }

  #mustRaft(): RaftServer {
    const raft = this.#parts.raft()
    if (raft === undefined) throw svcdError('no-leader', {})
    return raft
  }

  async #atLeader<T>(kind: string, body: T, act: (body: T) => Promise<string>): Promise<string> {
    const raft = this.#mustRaft()
    if (raft.isLeader) return act(body)
    const { leader } = raft.status
    if (leader === undefined) throw svcdError('no-leader', {})
    const reply = await this.#parts.forward(leader, kind, Buffer.from(JSON.stringify(body)))
    return JSON.parse(reply.toString()) as string
  }

  /** '' = the voter that holds the most of the log. */
  async #transfer(to: NodeId): Promise<string> {
    const raft = this.#mustRaft()
    const { config, peers } = raft.status
    const candidates = peers
      .filter(({ id, isActive }) => isActive && config.voters.includes(id))
      .toSorted((a, b) => b.match - a.match)
    const target = to === '' ? candidates[0]?.id : to
    if (target === undefined) {
      throw svcdError('operation-refused', { reason: 'there is no other voter that answers' })
    }
    const result = raft.driver.raft.transfer(target)
    raft.turn()
    if (result.kind === 'refused') {
      throw svcdError('operation-refused', { reason: `transfer to ${target}: ${result.reason}` })
    }
    if (!(await this.#until(() => !raft.isLeader))) {
      throw svcdError('operation-refused', { reason: `${target} did not take over` })
    }
    return target
  }

  /** Waits while another change is in flight: only one may be. */
  async #change(change: ConfChange): Promise<string> {
    const raft = this.#mustRaft()
    const core = raft.driver.raft
    let result: ConfChangeResult | undefined
    const isTaken = await this.#until(() => {
      result = core.proposeConfChange(change)
      raft.turn()
      return result.kind !== 'change-in-flight' && result.kind !== 'not-ready'
    })
    if (!isTaken || result === undefined || result.kind === 'not-leader') {
      throw svcdError('no-leader', {})
    }
    if (result.kind === 'refused') {
      // A server that asks to join again, its answer having been lost, has what it wants.
      if (result.reason === 'already-a-member' && change.kind === 'add-learner') return change.id
      throw svcdError('operation-refused', {
        reason: `${change.kind} ${change.id}: ${result.reason}`,
      })
    }
    if (result.kind !== 'accepted') throw svcdError('operation-refused', { reason: result.kind })
    const { lastIndex } = result
    if (!(await this.#until(() => core.state.log.commit >= lastIndex || !raft.isLeader))) {
      throw svcdError('no-leader', {})
    }
    return change.id
  }

  /** A leader first hands over, so that nobody has to notice its absence. */
  async #leave(): Promise<string> {
    const { self } = this.#parts
    const raft = this.#mustRaft()
    if (raft.isLeader && raft.status.config.voters.length > 1) await this.#transfer('')
    await this.#until(() => raft.status.leader !== undefined)
    return this.run({ kind: 'change', change: { kind: 'remove', id: self } })
  }

  async #until(isTrue: () => boolean): Promise<boolean> {
    const deadline = performance.now() + changeMs
    while (!isTrue()) {
      if (performance.now() > deadline) return false
      await new Promise((resolve) => {
        setTimeout(resolve, pollMs)
      })
    }
    return true
  }
}

/** How an error of an operation travels to the main thread. */
export function failureOf(error: unknown): { code: SvcdError['code']; message: string } {
  if (error instanceof SvcdError) return { code: error.code, message: error.message }
  return {
    code: 'operation-refused',
    message: error instanceof Error ? error.message : String(error),
  }
}

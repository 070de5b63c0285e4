import { SvcdError, svcdError } from '../../base/errors.ts'
import type { ConfChange } from '../../raft/membership.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { ConfChangeResult } from '../../raft/verdict.ts'
import { refusalWords } from './refusal-words.ts'
import type { Operation } from '../messages.ts'
import type { SessionDeadlines } from '../duties/session-deadlines.ts'
import type { RaftServer } from '../raft-server.ts'

export interface OperationsParts {
  readonly raft: () => RaftServer | undefined
  readonly self: NodeId
  /** Asks another server the same; rejects when it does not answer or refuses. */
  readonly forward: (to: NodeId, kind: string, body: Buffer) => Promise<Buffer>
  readonly snapshot: () => Promise<string>
  readonly join: (address: string) => Promise<string>
  /** How this server, which leads, finds the others: `ServerHealth`s as JSON. */
  readonly health: () => string
  /** What the leader knows of sessions. To be called on one that was just confirmed. */
  readonly sessions: () => Pick<SessionDeadlines, 'renew' | 'lockDelayMs'> | undefined
  /** The servers at an address now, as far as this server is connected. */
  readonly idsAt: (address: string) => readonly NodeId[]
}

/** A change of the members; `isOwnWish`: asked for by the very server, which has no data yet. */
export type Change = ConfChange & { readonly isOwnWish?: boolean }

/** How long a change of the members may take to be committed, and a transfer to be done. */
const changeMs = 7000
const pollMs = 50
/** Once in an election timeout a leader forgets who answers, until it has heard them again. */
const unheardMs = 1000

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
        return this.#atLeader('transfer', operation.to ?? '', (to) => this.transfer(to))
      case 'change':
        this.#mustBeAlone(operation)
        return this.#atLeader('change', operation.change, (change) => this.change(change))
      case 'leave':
        return this.#leave()
      case 'join':
        return this.#parts.join(operation.address)
      case 'health':
        return this.#atLeader('health', '', async () => this.health())
      case 'renew-sessions':
        return this.#atLeader('renew-sessions', operation.ids, (ids) => this.renewSessions(ids))
      case 'lock-delay':
        return this.#atLeader('lock-delay', operation.key, (key) => this.lockDelay(key))
    }
  }

  /** Has the leader let a server in that asks for itself. */
  letIn(id: NodeId, address: string): Promise<string> {
    const change = { kind: 'add-learner', id, address, isOwnWish: true } as const
    return this.#atLeader('change', change, (asked) => this.change(asked))
  }

  /** How this server, which leads, finds the others. */
  health(): string {
    return this.#parts.health()
  }

  /** Renews sessions on this server, which leads. As JSON: a `Session` for each, or null. */
  async renewSessions(ids: readonly string[]): Promise<string> {
    return JSON.stringify((await this.#confirmed()).renew(ids))
  }

  /** How long no session may lock a key yet, on this server, which leads; in milliseconds. */
  async lockDelay(key: string): Promise<string> {
    return String((await this.#confirmed()).lockDelayMs(key))
  }

  /** A leader that was deposed without knowing it must not renew what its successor has ended. */
  async #confirmed(): Promise<Pick<SessionDeadlines, 'renew' | 'lockDelayMs'>> {
    const raft = this.#mustRaft()
    const barrier = raft.readBarrier()
    // The turn of the message that asked may be over: the round would begin at the next tick.
    raft.turn()
    const isHeld = await barrier
    const sessions = this.#parts.sessions()
    if (!isHeld || !raft.isLeader || sessions === undefined) throw svcdError('no-leader', {})
    return sessions
  }

  /**
   * An operator who names an address means the server there. The server to be removed may be gone,
   * and another one may be at its address now.
   */
  #mustBeAlone({ change, onlyAt }: Extract<Operation, { kind: 'change' }>): void {
    if (onlyAt === undefined) return
    const others = this.#parts.idsAt(onlyAt).filter((id) => id !== change.id)
    if (others.length === 0) return
    const servers = `the configuration lists ${change.id} at that address, but ${others.join(' and ')} is there now`
    throw svcdError('ambiguous-peer', { what: 'address', value: onlyAt, servers })
  }

  #mustRaft(): RaftServer {
    return mustTakePart(this.#parts.raft())
  }

  /**
   * Has the leader do it. When the server that was asked lost leadership (it fell silent, is gone,
   * has stepped down), the next leader is asked: each operation has the same result when done
   * twice.
   */
  async #atLeader<T>(
    kind: string,
    body: T,
    act: (body: T, deadlineMs: number) => Promise<string>,
  ): Promise<string> {
    const { self } = this.#parts
    const deadlineMs = performance.now() + changeMs
    let asked: NodeId | undefined
    for (;;) {
      const leader = await this.#leader(deadlineMs)
      // The goal is that another server leads, or this one.
      const isMoved = asked !== undefined && asked !== leader
      if (kind === 'transfer' && isMoved && (body === '' || body === leader)) return leader
      asked = leader
      try {
        if (leader === self) return await act(body, deadlineMs)
        return await this.#ask(leader, kind, body, deadlineMs)
      } catch (error) {
        if (!isWorthRepeating(error) || performance.now() > deadlineMs) throw error
        await pause()
      }
    }
  }

  /** Waits for one, as writes do. */
  async #leader(deadlineMs: number): Promise<NodeId> {
    const raft = this.#mustRaft()
    await this.#until(() => raft.status.leader !== undefined, deadlineMs)
    const { leader } = raft.status
    if (leader === undefined) throw svcdError('no-leader', {})
    return leader
  }

  /** Rejects as soon as another server leads: an answer of this one, if it comes, may be too late. */
  async #ask(leader: NodeId, kind: string, body: unknown, deadlineMs: number): Promise<string> {
    const raft = this.#mustRaft()
    let isAnswered = false
    const hasNewLeader = (): boolean =>
      raft.status.leader !== undefined && raft.status.leader !== leader
    const sent = Buffer.from(JSON.stringify(body))
    const answer = this.#parts.forward(leader, kind, sent).finally(() => {
      isAnswered = true
    })
    const replaced = this.#until(() => isAnswered || hasNewLeader(), deadlineMs).then(() => {
      if (isAnswered) return answer
      // The caller does not wait for it any more.
      answer.catch(() => {})
      throw svcdError('no-leader', {})
    })
    const reply = await Promise.race([answer, replaced])
    return JSON.parse(reply.toString()) as string
  }

  /** To be called on the leader. '' = the voter that holds the most of the log. */
  async transfer(to: NodeId, deadlineMs = performance.now() + changeMs): Promise<string> {
    const raft = this.#mustRaft()
    let target = to === '' ? bestHeir(raft) : to
    await this.#until(
      () => (target ??= bestHeir(raft)) !== undefined,
      Math.min(deadlineMs, performance.now() + unheardMs),
    )
    if (target === undefined) {
      throw svcdError('operation-refused', { reason: 'no other voter answers' })
    }
    const result = raft.driver.raft.transfer(target)
    raft.turn()
    if (result.kind === 'refused') {
      const reason = `transfer to ${target}: ${refusalWords(result.reason)}`
      throw svcdError('operation-refused', { reason })
    }
    if (!(await this.#until(() => !raft.isLeader, deadlineMs))) {
      throw svcdError('operation-refused', { reason: `${target} did not take over` })
    }
    return target
  }

  /** To be called on the leader. Waits while another change is in flight: only one may be. */
  async change(change: Change, deadlineMs = performance.now() + changeMs): Promise<string> {
    const raft = this.#mustRaft()
    const core = raft.driver.raft
    let result: ConfChangeResult | undefined
    const heardByMs = performance.now() + unheardMs
    const isTaken = await this.#until(() => {
      result = core.proposeConfChange(change)
      raft.turn()
      const isUnheard = result.kind === 'refused' && result.reason === 'quorum-not-live'
      if (isUnheard && performance.now() < heardByMs) return false
      return result.kind !== 'change-in-flight' && result.kind !== 'not-ready'
    }, deadlineMs)
    if (!isTaken || result === undefined || result.kind === 'not-leader') {
      throw svcdError('no-leader', {})
    }
    if (result.kind === 'refused') {
      // Asked for again, the answer having been lost: it is as was wanted.
      if (result.reason === 'already-a-member' && change.kind === 'add-learner') {
        return this.#known(raft, change)
      }
      if (result.reason === 'not-a-member' && change.kind === 'remove') return change.id
      const reason = `${change.kind} ${change.id}: ${refusalWords(result.reason)}`
      throw svcdError('operation-refused', { reason })
    }
    if (result.kind !== 'accepted') {
      throw svcdError('operation-refused', { reason: refusalWords(result.kind) })
    }
    const { lastIndex } = result
    const { term } = result
    const isCommitted = (): boolean => core.state.log.commit >= lastIndex
    // Another leader may have cut it, and this server lead again by now.
    const isOpen = (): boolean => raft.isLeader && raft.isInLog(lastIndex, term)
    await this.#until(() => isCommitted() || !isOpen(), deadlineMs)
    // Another leader's entry may have taken its place.
    if (!isCommitted() || (core.state.log.term(lastIndex) ?? term) !== term)
      throw svcdError('no-leader', {})
    return change.id
  }

  /**
   * A server that asks to join again because its answer was lost has its goal. A server that has
   * acknowledged entries, and now asks as if it had none, has lost its votes with them: under its
   * old id it could help to elect a leader that lacks acknowledged entries.
   */
  #known(raft: RaftServer, { id, isOwnWish }: Change): string {
    const { config, peers } = raft.status
    const isFresh =
      config.learners.includes(id) && peers.some((peer) => peer.id === id && peer.match === 0)
    if (isOwnWish !== true || isFresh) return id
    const reason = `${id} is already a member, but its data is gone: remove it, and let it join with a new ID`
    throw svcdError('operation-refused', { reason })
  }

  /** A leader first hands over, so that its absence causes no election timeout. */
  async #leave(): Promise<string> {
    const { self } = this.#parts
    const raft = this.#mustRaft()
    if (raft.isLeader && raft.status.config.voters.length > 1) await this.transfer('')
    return this.run({ kind: 'change', change: { kind: 'remove', id: self } })
  }

  async #until(isTrue: () => boolean, deadlineMs: number): Promise<boolean> {
    while (!isTrue()) {
      if (performance.now() > deadlineMs) return false
      await pause()
    }
    return true
  }
}

/** Throws what keeps a server from having a part in its cluster. */
export function mustTakePart(raft: RaftServer | undefined): RaftServer {
  if (raft === undefined) throw svcdError('no-leader', {})
  const { fencedWith } = raft
  if (fencedWith !== undefined) throw new SvcdError(fencedWith.code, fencedWith.message)
  return raft
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, pollMs)
  })
}

/** Of the other voters that answer, the one that holds the most of the log. */
function bestHeir(raft: RaftServer): NodeId | undefined {
  const { config, peers } = raft.status
  return peers
    .filter(({ id, isActive }) => isActive && config.voters.includes(id))
    .toSorted((a, b) => b.match - a.match)[0]?.id
}

/** The leader is gone or lost its leadership, or its answer was lost: another leader may do it. */
function isWorthRepeating(error: unknown): boolean {
  return error instanceof SvcdError && repeatable.has(error.code)
}

const repeatable: ReadonlySet<string> = new Set<SvcdError['code']>([
  'no-leader',
  'peer-timeout',
  'peer-lost',
  'peer-unreachable',
  'peer-refuses-connection',
])

/** How an error of an operation travels to the main thread. */
export function failureOf(error: unknown): { code: SvcdError['code']; message: string } {
  if (error instanceof SvcdError) return { code: error.code, message: error.message }
  return {
    code: 'operation-refused',
    message: error instanceof Error ? error.message : String(error),
  }
}

import { Deadlines } from '../../base/deadlines.ts'
import type { Logger } from '../../base/log.ts'
import type { Status as RaftStatus } from '../../raft/status.ts'
import type { Index, Term } from '../../raft/entry.ts'
import type { LockDelayEndCommand, SessionDestroyCommand } from '../../state/session/commands.ts'
import { silenceMsOf } from '../../state/session/model.ts'
import type { LockDelay, Session } from '../../state/session/model.ts'
import type { SessionReader } from '../../state/session/reader.ts'
import type { Duty, OwnCommand } from './duty.ts'

export interface SessionDeadlinesParts {
  /** What this server has applied. */
  readonly sessions: Pick<
    SessionReader,
    'session' | 'has' | 'lockDelay' | 'timedAfter' | 'lockDelaysAfter' | 'appliedIndex'
  >
  /** The time that clients need to find a new leader. */
  readonly electionMs: number
  readonly nowMs: () => number
  readonly status: () => RaftStatus
  readonly propose: (command: OwnCommand, cause: string) => void
  readonly logger: Logger
}

/** Of one batch. */
const endsMax = 256
/** A proposal that is not applied by then was refused, or got lost. */
const againMs = 5000

/** What one term of leadership has. */
interface Wheels {
  readonly term: Term
  /** Up to it, the log is older than this leadership. */
  readonly inherited: Index
  readonly sessions: Deadlines<string>
  readonly delays: Deadlines<string>
  /** The last entry whose sessions and delays are on the wheels. */
  learnt: Index
  /** Sessions whose deadline has passed, and when their end was proposed. */
  readonly ending: Map<string, number>
  readonly endingDelays: Map<string, number>
}

/**
 * Ends sessions that were not renewed for their TTL (or twice, see {@link silenceMsOf}), and lock-delays whose time is over. The times run on
 * the leader alone. A new leader grants the whole time and that of an election, and a leader that was
 * stopped for a while grants that while: a session never ends before its holder had all of its TTL to renew it.
 */
export class SessionDeadlines implements Duty {
  readonly #parts: SessionDeadlinesParts
  #wheels: Wheels | undefined

  constructor(parts: SessionDeadlinesParts) {
    this.#parts = parts
  }

  started({ term, lastIndex }: RaftStatus, nowMs: number): void {
    this.#wheels = {
      term,
      inherited: lastIndex,
      sessions: new Deadlines(nowMs),
      delays: new Deadlines(nowMs),
      learnt: 0,
      ending: new Map(),
      endingDelays: new Map(),
    }
    this.#learn(this.#wheels, nowMs)
  }

  check(_status: RaftStatus, nowMs: number): void {
    const wheels = this.#wheels
    if (wheels === undefined) return
    this.#learn(wheels, nowMs)
    for (const id of wheels.sessions.due(nowMs)) wheels.ending.set(id, -Infinity)
    for (const key of wheels.delays.due(nowMs)) wheels.endingDelays.set(key, -Infinity)
    this.#endSessions(wheels, nowMs)
    this.#endDelays(wheels, nowMs)
  }

  ended(): void {
    this.#wheels = undefined
  }

  /** Sessions were made, or have ended and left lock-delays: their times begin now, not at the next check. */
  changed(): void {
    if (this.#wheels !== undefined) this.#learn(this.#wheels, this.#parts.nowMs())
  }

  /**
   * To be called on a leader that has just been confirmed, and has applied all that was committed. The
   * sessions in the order of their IDs; null: there is none, or its time is over.
   */
  renew(ids: readonly string[]): readonly (Session | null)[] {
    const nowMs = this.#parts.nowMs()
    return ids.map((id) => this.#renew(id, nowMs) ?? null)
  }

  /**
   * How long no session may lock a key yet, in milliseconds. If its time is over, the end is proposed now, not
   * at the next check: a lock that is asked for after the answer 0 comes behind it in the log.
   */
  lockDelayMs(key: string): number {
    const wheels = this.#ofThisTerm()
    const delay = this.#parts.sessions.lockDelay(key)
    if (delay === undefined) return 0
    const wholeMs = delay.delayNs / 1e6
    if (wheels === undefined) return wholeMs
    const nowMs = this.#parts.nowMs()
    this.#learn(wheels, nowMs)
    const leftMs = wheels.delays.remainingMs(key, nowMs) ?? 0
    if (leftMs > 0) return leftMs
    wheels.delays.remove(key)
    if (!wheels.endingDelays.has(key)) wheels.endingDelays.set(key, -Infinity)
    this.#endDelays(wheels, nowMs)
    return 0
  }

  #renew(id: string, nowMs: number): Session | undefined {
    const wheels = this.#ofThisTerm()
    if (wheels?.ending.has(id) === true) return undefined
    const session = this.#parts.sessions.session(id)
    if (session === undefined || session.ttlMs === 0) return session
    // Before the first check of a leadership there is no wheel: it grants the whole TTL then.
    if (wheels?.sessions.renew(id, nowMs) === false) {
      wheels.sessions.set(id, silenceMsOf(session), nowMs)
    }
    return session
  }

  /**
   * The wheels of the present leadership. A server that leads again soon after it was deposed has those of its
   * earlier one until the next {@link check}. They are void: no end that they have proposed takes effect any more.
   */
  #ofThisTerm(): Wheels | undefined {
    const wheels = this.#wheels
    return wheels?.term === this.#parts.status().term ? wheels : undefined
  }

  /** Puts on the wheels what has come since the last time. */
  #learn(wheels: Wheels, nowMs: number): void {
    const { sessions, electionMs } = this.#parts
    const applied = sessions.appliedIndex()
    if (applied === wheels.learnt) return
    const extraMs = (index: Index): number => (index <= wheels.inherited ? electionMs : 0)
    for (const session of sessions.timedAfter(wheels.learnt)) {
      const { id, index } = session
      if (wheels.sessions.has(id)) continue
      wheels.sessions.set(id, silenceMsOf(session), nowMs, extraMs(index))
    }
    for (const { key, delayNs, index } of sessions.lockDelaysAfter(wheels.learnt)) {
      wheels.endingDelays.delete(key)
      wheels.delays.set(key, delayNs / 1e6, nowMs, extraMs(index))
    }
    wheels.learnt = applied
  }

  #endSessions({ ending, term }: Wheels, nowMs: number): void {
    const bodies: SessionDestroyCommand[] = []
    for (const [id, proposedMs] of ending) {
      if (bodies.length === endsMax) break
      if (!this.#parts.sessions.has(id)) ending.delete(id)
      else if (nowMs - proposedMs >= againMs) {
        ending.set(id, nowMs)
        bodies.push({ kind: 'session-destroy', id, term })
      }
    }
    if (bodies.length === 0) return
    const ids = bodies.map(({ id }) => id)
    this.#parts.logger.debug(
      { sessions: ids },
      'sessions end: they were not renewed within their TTL',
    )
    this.#parts.propose({ kind: 'batch', bodies }, 'session TTL expired')
  }

  #endDelays({ endingDelays }: Wheels, nowMs: number): void {
    const bodies: LockDelayEndCommand[] = []
    for (const [key, proposedMs] of endingDelays) {
      if (bodies.length === endsMax) break
      const delay: LockDelay | undefined = this.#parts.sessions.lockDelay(key)
      if (delay === undefined) endingDelays.delete(key)
      else if (nowMs - proposedMs >= againMs) {
        endingDelays.set(key, nowMs)
        bodies.push({ kind: 'lock-delay-end', key, index: delay.index })
      }
    }
    if (bodies.length > 0) this.#parts.propose({ kind: 'batch', bodies }, 'lock-delay over')
  }
}

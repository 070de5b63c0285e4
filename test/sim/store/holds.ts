import { must } from '../../../src/base/assert.ts'
import type { Index } from '../../../src/raft/entry.ts'
import { check } from '../ledger.ts'
import type { Ledger } from '../ledger.ts'
import { electionMsOf } from '../options.ts'
import type { SimOptions } from '../options.ts'
import type { SessionEnd, Twin } from './twin.ts'

/** A session, as the program that made it knows it. */
export interface SessionUse {
  readonly id: string
  /** How long it lasts without a renewal. */
  readonly silenceMs: number
  /** Until then it is there, as far as its program knows: so long from when the last renewal that was granted began. */
  believedMs: number
  /** When it last asked for a renewal, granted or not. */
  triedMs: number
  /** Nobody renews it any more. */
  isOver: boolean
}

/** A lock that a program has been given. */
export interface Hold {
  readonly key: string
  readonly use: SessionUse
  readonly fromMs: number
  /** It gave it up, or was told that its session is over. */
  toMs: number
  /** CreateIndex and LockIndex: what fences off those who held it before. */
  token: readonly [Index, Index] | undefined
}

export interface HoldsParts {
  readonly options: SimOptions
  readonly ledger: Ledger
  readonly twin: Twin
  readonly uses: readonly SessionUse[]
  readonly holds: readonly Hold[]
}

/** What sessions and locks promise, of a run that is over. */
export function checkLocks(parts: HoldsParts): void {
  const { holds, twin } = parts
  for (const end of twin.ends) checkEnd(end, parts)
  checkDelays(parts)
  for (const key of new Set(holds.map((hold) => hold.key))) checkHolds(key, parts)
  checkAllEnded(parts)
}

function appliedMs({ ledger }: HoldsParts, requestId: string): number {
  return must(ledger.appliedCommands.get(requestId), `${requestId} was applied`).atMs
}

/** A session ends by silence alone, never before its program had its whole time, and more after an election. */
function checkEnd(end: SessionEnd, parts: HoldsParts): void {
  const { session, cause, requestId, term } = end
  if (cause !== 'expired') return
  const { uses, ledger, options } = parts
  const atMs = appliedMs(parts, requestId)
  const use = uses.find(({ id }) => id === session.id)
  const believedMs = use?.believedMs ?? -Infinity
  check(
    atMs >= believedMs,
    `${session.id} is ended at ${atMs.toFixed(0)}, and was granted until ${believedMs.toFixed(0)}`,
  )
  const led = must(ledger.ledSince.get(term), `${term} has a leader`)
  const begunAt = must(ledger.appliedCommands.get(createdBy(parts, session.id))).outcome.index
  if (begunAt > led.lastIndex) return
  const silenceMs = session.lockDelayNs < 1e9 ? 2 * session.ttlMs : session.ttlMs
  const earliestMs = led.atMs + silenceMs + electionMsOf(options)
  check(
    atMs >= earliestMs - 1,
    `${session.id} is ended at ${atMs.toFixed(0)} by a leader that has led since ${led.atMs.toFixed(0)}`,
  )
}

function createdBy({ twin }: HoldsParts, id: string): string {
  return must(twin.createdBy.get(id), `${id} was made`)
}

function checkDelays(parts: HoldsParts): void {
  for (const { begun, requestId } of parts.twin.delayEnds) {
    const [fromMs, toMs] = [appliedMs(parts, begun.requestId), appliedMs(parts, requestId)]
    const delayMs = begun.delayNs / 1e6
    check(
      toMs - fromMs >= delayMs,
      `the lock-delay of ${begun.key} ended after ${(toMs - fromMs).toFixed(0)} of ${delayMs} ms`,
    )
  }
}

/** No two programs believe at one time that they hold a lock, and each has a larger token than those before. */
function checkHolds(key: string, parts: HoldsParts): void {
  const spans = parts.holds
    .filter((hold) => hold.key === key)
    .map((hold) => ({
      ...hold,
      toMs: Math.min(hold.toMs, hold.use.believedMs, criticalMs(hold, parts)),
    }))
    .filter(({ fromMs, toMs }) => fromMs < toMs)
    .toSorted((a, b) => a.fromMs - b.fromMs)
  for (const [at, hold] of spans.entries()) {
    const next = spans[at + 1]
    if (next === undefined || next.use.id === hold.use.id) continue
    check(
      hold.toMs <= next.fromMs,
      `${hold.use.id} and ${next.use.id} both hold ${key} at ${next.fromMs.toFixed(0)}`,
    )
  }
  const tokens = spans.filter(({ token }) => token !== undefined)
  for (const [at, { token, use }] of tokens.entries()) {
    const next = tokens[at + 1]
    if (next === undefined || next.use.id === use.id) continue
    check(
      isLess(must(token), must(next.token)),
      `${next.use.id} holds ${key} with token ${next.token?.join()}, after ${token?.join()}`,
    )
  }
}

/** A check ends a session while its program holds itself for the holder. It has the lock-delay to notice. */
function criticalMs({ use }: Hold, parts: HoldsParts): number {
  const end = parts.twin.ends.find(({ session }) => session.id === use.id)
  if (end?.cause !== 'critical') return Infinity
  return appliedMs(parts, end.requestId) + end.session.lockDelayNs / 1e6
}

function isLess(one: readonly [Index, Index], other: readonly [Index, Index]): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1])
}

/** The run has gone on for long enough. */
function checkAllEnded({ twin }: HoldsParts): void {
  const [session] = twin.live
  check(session === undefined, `${session?.id} has not ended, though nobody renews it`)
  const [delay] = twin.delays.values()
  check(delay === undefined, `the lock-delay of ${delay?.key} has not ended`)
}

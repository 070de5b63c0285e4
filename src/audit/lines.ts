import { visibleJson } from '../base/invisible.ts'
import type { AuditedRequest } from '../ports/audit.ts'
import { aboutOf } from '../state/families.ts'
import type { Command, Outcome } from '../state/machine/command.ts'

// The lines of an audit log. Each is a JSON object in one line, and contains no values and no secrets.

/** The line of a command of the log. `outcome`: undefined if it is not known any more. */
export function changeLine(
  index: number,
  { timeMs, requestId, actor, accessor, cause, body }: Command,
  outcome: Outcome | undefined,
): string {
  const who = actorOf(actor, accessor)
  return lineOf({
    time: isoTime(timeMs),
    type: 'change',
    index,
    requestId,
    actor: who,
    // What a check says may contain anything.
    cause: who.kind === 'check' ? undefined : cause,
    operation: body.kind,
    target: aboutOf(body),
    ...resultOf(outcome, index),
  })
}

/** The line of an entry that changes the members. It has no time, so `timeMs` is when it was applied here. */
export function membersLine(index: number, members: readonly string[], timeMs: number): string {
  return lineOf({
    time: isoTime(timeMs),
    type: 'change',
    index,
    actor: { kind: 'cluster' },
    operation: 'members',
    target: { members },
    outcome: 'applied',
  })
}

/** `requestId` is unique to the agent that took the request. */
export function requestLine(request: AuditedRequest, requestId: string): string {
  const { timeMs, operation, address, accessor, target, outcome, status } = request
  return lineOf({
    time: isoTime(timeMs),
    type: 'request',
    requestId,
    actor: { kind: 'http', address, accessor: accessor === '' ? undefined : accessor },
    operation,
    target,
    outcome,
    status,
  })
}

/** The first line of a file: the entries up to `after` are in earlier files, or nowhere. */
export function openedLine(node: string, after: number, timeMs: number): string {
  return lineOf({ time: isoTime(timeMs), type: 'opened', node, after })
}

/** Entries that this server cannot record: it has received their effects in a snapshot. */
export function gapLine(from: number, to: number, timeMs: number): string {
  return lineOf({ time: isoTime(timeMs), type: 'gap', from, to })
}

/** The number of requests without a line, because there were too many at a time. */
export function leftOutLine(requests: number, timeMs: number): string {
  return lineOf({ time: isoTime(timeMs), type: 'left-out', requests })
}

/** The last entry that a line accounts for; undefined for a request, and for a text that is not a line. */
export function indexIn(line: string): number | undefined {
  const { index, to, after } = parsed(line)
  const found = index ?? to ?? after
  return Number.isSafeInteger(found) ? Number(found) : undefined
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  if (!line.startsWith('{')) return {}
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

interface Actor {
  readonly kind: string
  readonly address?: string
  readonly name?: string
  readonly accessor?: string | undefined
}

/** `http 10.0.0.1`, `check web-1`, `agent n1`, `leader n1`. */
function actorOf(actor: string, accessor: string | undefined): Actor {
  const at = actor.indexOf(' ')
  const kind = at < 0 ? actor : actor.slice(0, at)
  const rest = at < 0 ? '' : actor.slice(at + 1)
  return kind === 'http' ? { kind, address: rest, accessor } : { kind, name: rest }
}

interface Result {
  readonly outcome: 'applied' | 'not-applied' | 'repeated' | 'unknown'
  readonly reason?: string
  /** The entry that has applied the same request before. */
  readonly of?: number
}

function resultOf(outcome: Outcome | undefined, index: number): Result {
  if (outcome === undefined) return { outcome: 'unknown' }
  if (outcome.index !== index) return { outcome: 'repeated', of: outcome.index }
  if (!outcome.ok) return { outcome: 'not-applied', reason: outcome.error }
  const reason = refusalIn(outcome.value)
  return reason === undefined ? { outcome: 'applied' } : { outcome: 'not-applied', reason }
}

/** Commands say by their value that a condition did not hold; see the families. */
function refusalIn(value: unknown): string | undefined {
  if (value === false) return 'condition'
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || !('failures' in value)) return undefined
  const [first] = value.failures as readonly { readonly why?: string }[]
  return first?.why ?? 'failed'
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** Who prints the file sees all of it: keys may hold characters that a terminal obeys. */
function lineOf(line: object): string {
  return `${visibleJson(JSON.stringify(line))}\n`
}

import { parseDuration } from '../../../base/duration.ts'
import { svcdError } from '../../../base/errors.ts'
import { isObject } from '../../../base/shape.ts'
import { listOf, openObject, text } from '../../../definition/decode.ts'
import type { Reader } from '../../../definition/decode.ts'
import type { Identity } from '../../../ports/identity.ts'
import { nodeCheckId } from '../../../state/catalog/model.ts'
import {
  checkBytes,
  checkCount,
  checksMax,
  sessionNameBytesMax,
} from '../../../definition/sizes.ts'
import { lockDelayNsMax, ttlMsMax, ttlMsMin } from '../../../state/session/model.ts'
import type { Behavior, SessionDefinition } from '../../../state/session/model.ts'

const lockDelayNsDefault = 15e9
/** A smaller number is one of seconds, as in Consul. */
const nanosecondsMin = 1000

/** A duration, or a number of nanoseconds or seconds; in nanoseconds, from 0 to 60 s. */
const lockDelay: Reader<number> = Object.assign(
  (value: unknown): number => {
    const ns = typeof value === 'string' ? durationNs(value) : numberNs(value)
    return Math.min(lockDelayNsMax, Math.max(0, ns))
  },
  { schema: { anyOf: [{ type: 'string', examples: ['15s'] }, { type: 'number' }] } },
)

function durationNs(value: string): number {
  const durationMs = parseDuration(value)
  if (durationMs !== undefined) return Math.round(durationMs * 1e6)
  throw svcdError('invalid-json', { reason: `time: ${durationFault(value)}` })
}

function numberNs(value: unknown): number {
  // Consul takes any other value for 0.
  if (typeof value !== 'number') return 0
  const whole = Math.trunc(value)
  return whole < nanosecondsMin ? whole * 1e9 : whole
}

/** Why Go does not take a text for a duration. */
function durationFault(value: string): string {
  const shown = JSON.stringify(value)
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(value)
    ? `missing unit in duration ${shown}`
    : `invalid duration ${shown}`
}

const fields = openObject({
  Name: text,
  Node: text,
  LockDelay: lockDelay,
  Behavior: text,
  TTL: text,
  Checks: listOf(text),
  NodeChecks: listOf(text),
  ServiceChecks: listOf(openObject({ ID: text, Namespace: text })),
})

type Fields = ReturnType<typeof fields>

/** What a body says of a session. `hasNoChecks`: a list of checks is null, which is not its absence. */
export interface AskedSession extends Fields {
  readonly hasNoChecks?: boolean
}

export const askedSession: Reader<AskedSession> = Object.assign(
  (value: unknown, at: string): AskedSession => {
    const asked = fields(value, at)
    return isNull(value, 'nodechecks') ? { ...asked, hasNoChecks: true } : asked
  },
  { schema: fields.schema ?? {} },
)

function isNull(value: unknown, field: string): boolean {
  return (
    isObject(value) &&
    Object.entries(value).some(([name, entry]) => name.toLowerCase() === field && entry === null)
  )
}

/** The session that is asked for, by default on this agent's node. Throws what Consul says of it. */
export function sessionDefinition(
  asked: AskedSession,
  id: string,
  { nodeName }: Pick<Identity, 'nodeName'>,
): SessionDefinition {
  const node = asked.Node ?? nodeName
  if (node === '') throw svcdError('session-without-node', {})
  const { TTL: ttl = '', Name: name = '' } = asked
  checkBytes('Name', name, sessionNameBytesMax)
  const nodeChecks = nodeChecksOf(asked)
  checkCount('Checks', (nodeChecks?.length ?? 0) + (asked.ServiceChecks?.length ?? 0), checksMax)
  const serviceChecks = asked.ServiceChecks?.map(({ ID = '', Namespace = '' }) => ({
    id: ID,
    namespace: Namespace,
  }))
  return {
    id,
    node,
    name,
    lockDelayNs: asked.LockDelay ?? lockDelayNsDefault,
    behavior: behaviorOf(asked.Behavior ?? ''),
    ttl,
    ttlMs: ttlMsOf(ttl),
    nodeChecks,
    serviceChecks: serviceChecks ?? null,
  }
}

function nodeChecksOf({ Checks, NodeChecks, hasNoChecks }: AskedSession): readonly string[] | null {
  // The old name adds to the new one.
  if (NodeChecks === undefined && Checks === undefined) {
    return hasNoChecks === true ? null : [nodeCheckId]
  }
  return [...new Set([...(NodeChecks ?? []), ...(Checks ?? [])])]
}

function behaviorOf(behavior: string): Behavior {
  if (behavior === '' || behavior === 'release') return 'release'
  if (behavior === 'delete') return 'delete'
  throw svcdError('session-behavior-invalid', { behavior })
}

/** 0: none. */
function ttlMsOf(ttl: string): number {
  if (ttl === '') return 0
  const ttlMs = parseDuration(ttl)
  if (ttlMs === undefined)
    throw svcdError('session-ttl-invalid', { ttl, reason: durationFault(ttl) })
  if (ttlMs === 0) return 0
  if (ttlMs >= ttlMsMin && ttlMs <= ttlMsMax) return Math.round(ttlMs)
  throw svcdError('session-ttl-out-of-range', { ns: String(Math.round(ttlMs * 1e6)) })
}

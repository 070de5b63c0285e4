import { svcdError } from '../../../base/errors.ts'
import { formatDuration } from '../../../base/duration.ts'
import type { TokenBody } from '../../../definition/acl.ts'
import { checkedDescription } from '../../../definition/sizes.ts'
import { hashOfSecret } from '../../../state/acl/secret-hash.ts'
import { isAclId, reservedIdPrefix } from '../../../state/acl/model.ts'
import type { AclToken, TokenDefinition } from '../../../state/acl/model.ts'
import type { AclReader } from '../../../state/acl/reader.ts'
import { hiddenSecret } from './encode.ts'
import { grantsOf, rolesOf } from './grants.ts'

const expirationMsMin = 60_000
const expirationMsMax = 24 * 3_600_000

/** Of a token that is created. Throws `acl-token-invalid`, `acl-link-unknown`. */
export function newToken(body: TokenBody, reader: AclReader, nowMs: number): TokenDefinition {
  refuseForeign(body)
  if ((body.AuthMethod ?? '') !== '') invalid('AuthMethod field is disallowed outside of Login')
  const isLocal = body.Local ?? false
  const grants = grantsOf(body, 'token', reader)
  const withPlaces = grants.serviceIdentities.find(({ datacenters }) => datacenters.length > 0)
  if (isLocal && withPlaces !== undefined) {
    invalid(
      `Service identity "${withPlaces.serviceName}" cannot specify a list of datacenters on a local token`,
    )
  }
  return {
    ...grants,
    description: checkedDescription(body.Description),
    roles: rolesOf(body.Roles ?? [], reader),
    isLocal,
    createTimeMs: nowMs,
    expirationTimeMs: expirationOf(body, nowMs),
  }
}

/** Of a token that is replaced by this body. Throws also what says that a field cannot be changed. */
export function changedToken(
  body: TokenBody,
  before: AclToken,
  reader: AclReader,
): TokenDefinition {
  refuseForeign(body)
  const { accessorId: id, isLocal, expirationTimeMs, createTimeMs } = before
  const { SecretID: secret = '' } = body
  const isSame =
    secret === '' || secret === hiddenSecret || hashOfSecret(secret) === before.secretHash
  if (!isSame) throw svcdError('acl-secret-fixed', {})
  if ((body.Local ?? false) !== isLocal) throw svcdError('acl-local-fixed', { id })
  if ((body.AuthMethod ?? '') !== '') invalid(`Cannot change AuthMethod of ${id}`)
  const asked = timeOf(body.ExpirationTime)
  const isOtherTime = asked !== 0 && asked !== expirationTimeMs
  if ((body.ExpirationTTL ?? 0) !== 0 || isOtherTime)
    throw svcdError('acl-expiration-fixed', { id })
  return {
    ...grantsOf(body, 'token', reader),
    description: checkedDescription(body.Description),
    roles: rolesOf(body.Roles ?? [], reader),
    isLocal,
    createTimeMs,
    expirationTimeMs,
  }
}

/** The ID or secret of a new token, if the client has chosen it. Throws `acl-token-invalid`. */
export function chosenId(
  field: 'AccessorID' | 'SecretID',
  value: string | undefined,
  reader: AclReader,
): string | undefined {
  if (value === undefined || value === '') return undefined
  if (!isAclId(value)) return invalid(`${field} is not a valid UUID`)
  const isTaken =
    reader.token(value) !== undefined || reader.tokenOfSecret(hashOfSecret(value)) !== undefined
  if (isTaken) invalid(`${field} is already in use`)
  if (value.startsWith(reservedIdPrefix)) {
    invalid(`UUIDs with the prefix "${reservedIdPrefix}" are reserved`)
  }
  return value
}

function expirationOf(body: TokenBody, nowMs: number): number {
  const { ExpirationTTL: ttlMs = 0 } = body
  const timeMs = timeOf(body.ExpirationTime)
  if (ttlMs < 0) invalid(`Token Expiration TTL '${formatDuration(ttlMs)}' should be > 0`)
  if (ttlMs > 0 && timeMs !== 0) {
    invalid('Token Expiration TTL and Expiration Time cannot both be set')
  }
  if (ttlMs === 0 && timeMs === 0) return 0
  const untilMs = Math.round(ttlMs > 0 ? nowMs + ttlMs : timeMs)
  const leftMs = untilMs - nowMs
  if (leftMs < 0) invalid('ExpirationTime cannot be before CreateTime')
  const was = `in the future (was ${formatDuration(leftMs)})`
  if (leftMs > expirationMsMax) invalid(`ExpirationTime cannot be more than 24h0m0s ${was}`)
  if (leftMs < expirationMsMin) invalid(`ExpirationTime cannot be less than 1m0s ${was}`)
  return untilMs
}

/** RFC 3339. 0: none, which Go also writes as the year 1. */
function timeOf(text = ''): number {
  if (text === '' || text.startsWith('0001-01-01T00:00:00')) return 0
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i
  const timeMs = shape.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timeMs))
    return invalid('ExpirationTime is not a time such as 2030-01-31T12:00:00Z')
  return timeMs
}

function refuseForeign(body: TokenBody): void {
  if ((body.Rules ?? '') !== '') invalid('Rules cannot be specified for this token')
  if ((body.Type ?? '') !== '') invalid('Type cannot be specified for this token')
}

function invalid(reason: string): never {
  throw svcdError('acl-token-invalid', { reason })
}

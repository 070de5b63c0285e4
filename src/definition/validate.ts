import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'
import { invisibleCharacter } from '../base/invisible.ts'
import { isUnspecifiedIp, parseIp, unmappedIp } from '../base/ip.ts'
import { metadataFault } from '../base/metadata.ts'
import { bindingMetaFault } from '../base/service-binding-meta.ts'
import { serverServiceId } from '../state/catalog/model.ts'
import type { Evidence, Status, TaggedAddress, Weights } from '../state/catalog/model.ts'
import type { Decoded } from './decode.ts'
import { checkBytes, checkCount, taggedAddressesMax, tagBytesMax, tagsMax } from './sizes.ts'

const nameLengthMax = 255
const idLengthMax = 512
const weightMax = 65_535

const hostLabel = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/

function invalid(field: string, reason: string): never {
  throw svcdError('invalid-field', { field, reason })
}

/** Checks a name or an ID: any visible text up to a length. */
export function checkedName(value: string, field: string, lengthMax = nameLengthMax): string {
  if (Buffer.byteLength(value) > lengthMax) invalid(field, `is longer than ${lengthMax} bytes`)
  refuseInvisible(value, field)
  return value
}

/** `invalid-field` for the ID of a server's own registration, which the service would replace. */
export function serverIdFault(id: string): SvcdError | undefined {
  if (id !== serverServiceId) return undefined
  const reason = `"${id}" is reserved for the server's own registration; use another ID`
  return svcdError('invalid-field', { field: 'ID', reason })
}

/** Throws {@link serverIdFault}. */
export function refuseServerId(id: string): void {
  const fault = serverIdFault(id)
  if (fault !== undefined) throw fault
}

export function checkedId(value: string, field: string): string {
  return checkedName(value, field, idLengthMax)
}

export function checkedTags(tags: readonly string[], field: string): readonly string[] {
  checkCount(field, tags.length, tagsMax)
  for (const [n, tag] of tags.entries()) {
    checkBytes(`${field}[${n}]`, tag, tagBytesMax)
    refuseInvisible(tag, `${field}[${n}]`)
  }
  return tags
}

export function checkedPort(port: number, field: string): number {
  if (port < 0 || port > 65_535) invalid(field, `${port} is not between 0 and 65535`)
  return port
}

/**
 * An IPv4 or IPv6 address or a host name that a client can connect to; '' stays ''. An IPv4-mapped
 * address becomes the IPv4 address that it stands for: as AAAA it could not be used (RFC 4291
 * §2.5.5.2).
 */
export function checkedAddress(given: string, field: string): string {
  if (given === '') return given
  const address = unmappedIp(given)
  const ip = parseIp(address)
  if (ip !== undefined) {
    if (isUnspecifiedIp(ip)) {
      invalid(field, `clients cannot connect to ${address}; use an address that they can reach`)
    }
    return address
  }
  if (!isHostName(address)) {
    invalid(field, `${JSON.stringify(address)} is not an IPv4 or IPv6 address or a host name`)
  }
  return address
}

function isHostName(text: string): boolean {
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.')
  if (text.length > 254 || !labels.every((label) => hostLabel.test(label))) return false
  // 10.0.0 and 1.2.3.400 are mistyped addresses: no top-level domain is a number (RFC 3696 §2).
  return !/^\d+$/.test(labels.at(-1) ?? '')
}

const familyBytes: Readonly<Record<string, number>> = {
  lan_ipv4: 4,
  wan_ipv4: 4,
  lan_ipv6: 16,
  wan_ipv6: 16,
}

/** Checks a tagged address; `lan_ipv4` and the like must have the right family. */
export function checkedTaggedAddress(tag: string, address: string, field: string): string {
  if (address === '') invalid(field, 'is empty')
  const bytes = familyBytes[tag]
  if (bytes !== undefined && parseIp(unmappedIp(address))?.length !== bytes) {
    invalid(field, `${JSON.stringify(address)} is not an ${bytes === 4 ? 'IPv4' : 'IPv6'} address`)
  }
  return checkedAddress(address, field)
}

/** A service's tagged addresses. */
export function checkedTaggedAddresses(
  given: Readonly<Record<string, Decoded<{ Address: () => string; Port: () => number }>>>,
): Record<string, TaggedAddress> {
  checkCount('TaggedAddresses', Object.keys(given).length, taggedAddressesMax)
  const entries = Object.entries(given).map(([tag, { Address = '', Port = 0 }]) => {
    const field = `TaggedAddresses.${checkedName(tag, 'TaggedAddresses')}`
    const address = checkedTaggedAddress(tag, Address, `${field}.Address`)
    return [tag, { address, port: checkedPort(Port, `${field}.Port`) }]
  })
  return Object.fromEntries(entries) as Record<string, TaggedAddress>
}

/** Consul's weights: a weight that is missing beside a given one is 0, and only then. */
export function checkedWeights(
  given: Decoded<{ Passing: () => number; Warning: () => number }> | undefined,
): Weights {
  if (given === undefined) return { passing: 1, warning: 1 }
  const { Passing: passing = 0, Warning: warning = 0 } = given
  if (passing < 1) invalid('Weights', 'Passing must be greater than 0')
  if (warning < 0) invalid('Weights', 'Warning must be greater or equal than 0')
  if (Math.max(passing, warning) > weightMax) {
    invalid('Weights', 'DNS Weight must be between 0 and 65535')
  }
  return { passing, warning }
}

/**
 * The weights of a catalog registration. Invalid ones count as 1 and 1, as in Consul: its Go
 * clients always send weights, and 0 and 0 when there are none.
 */
export function catalogWeights(given: Parameters<typeof checkedWeights>[0]): Weights {
  const { Passing: passing = 0, Warning: warning = 0 } = given ?? {}
  const isValid = passing >= 1 && warning >= 0 && Math.max(passing, warning) <= weightMax
  return isValid ? { passing, warning } : { passing: 1, warning: 1 }
}

/** `what`: the owner of the metadata. Keys with the prefix `consul-` are refused unless `mayReserve`. */
export function checkedMeta(
  meta: Readonly<Record<string, string>>,
  what: 'Service Meta' | 'Node Meta',
  mayReserve: boolean,
): Readonly<Record<string, string>> {
  const isService = what === 'Service Meta'
  const reason = metadataFault(meta, mayReserve) ?? (isService ? bindingMetaFault(meta) : undefined)
  if (reason !== undefined) invalid(what, reason)
  return meta
}

/**
 * A check's status; a new check is critical until its first result. `code`: the error for an invalid
 * status, whose text in Consul differs from place to place.
 */
export function checkedStatus(
  status: string | undefined,
  code:
    | 'invalid-check-status'
    | 'invalid-service-check-status'
    | 'invalid-reported-status' = 'invalid-check-status',
): Status {
  if (status === undefined || status === '') return 'critical'
  if (status !== 'passing' && status !== 'warning' && status !== 'critical') {
    throw svcdError(code, { status })
  }
  return status
}

/** Throws `invalid-evidence`. A client that does not know the field says nothing. */
export function checkedEvidence(evidence = ''): Evidence {
  if (evidence === '' || evidence === 'proof' || evidence === 'absence' || evidence === 'intent') {
    return evidence
  }
  throw svcdError('invalid-evidence', { evidence })
}

/** Check output and notes are kept to Consul's 4 KiB. */
export function cutOutput(output: string): string {
  const bytes = Buffer.from(output)
  // A cut inside a character leaves U+FFFD at the end; trim it.
  return bytes.length <= 4096 ? output : bytes.toString('utf8', 0, 4096).replace(/\uFFFD+$/, '')
}

/** Two names must not look the same, and no name may control a terminal. */
function refuseInvisible(value: string, field: string): void {
  const character = invisibleCharacter(value)
  if (character === undefined) return
  invalid(field, `contains ${character}, a control or invisible character`)
}

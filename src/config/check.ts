import { metadataFault } from '../base/metadata.ts'
import { formatIp, isUnspecifiedIp, parseIp } from '../base/ip.ts'

/** Returns why a value is refused; undefined if it is valid. */
export type Check<T> = (value: T) => string | undefined

/** The secret of a token. The reason must not contain it. */
export function checkSecret(value: string): string | undefined {
  if (/^[\x21-\x7e]{1,512}$/.test(value)) return undefined
  return 'a secret has 1 to 512 printable ASCII characters without spaces'
}

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i

export function checkDatacenter(value: string): string | undefined {
  if (/^[a-z0-9_-]{1,63}$/i.test(value)) return undefined
  return `"${value}" is not a datacenter name; use 1 to 63 of a-z, 0-9, "-" and "_"`
}

/** Labels of at most 63 octets, 253 characters in all (RFC 1035 §2.3.4). */
export function checkDnsName(value: string): string | undefined {
  const bad = value.split('.').find((part) => !label.test(part))
  if (bad !== undefined) {
    return `"${value}" is not a DNS name; use labels of 1 to 63 letters, digits, "-" or "_", joined by dots`
  }
  return value.length > 253 ? `the name has ${value.length} characters; DNS allows 253` : undefined
}

export function checkUuid(value: string): string | undefined {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) return undefined
  return `"${value}" is not a UUID, such as 5d3a1d0e-8f2b-4c1c-9a56-0d6c0c7f9b11`
}

export function checkIp(value: string): string | undefined {
  if (parseIp(value) !== undefined) return undefined
  if (value.includes('{{'))
    return `"${value}" is a template, which svcd does not support; write the IP address`
  if (value.startsWith('unix:'))
    return `"${value}" is a Unix socket; svcd listens on IP addresses only`
  return `"${value}" is not an IPv4 or IPv6 address`
}

/** Addresses of other servers. Consul also accepts cloud auto-join expressions. */
export function checkJoinAddresses(values: readonly string[]): string | undefined {
  const cloud = values.find((value) => value.startsWith('provider='))
  if (cloud === undefined) return undefined
  return `"${cloud}" is a cloud auto-join expression, which svcd does not support; give the addresses of the servers, or one DNS name that resolves to all of them`
}

/** As Consul limits it: 64 pairs, keys of 128 characters, values of 512. */
export function checkNodeMeta(pairs: Readonly<Record<string, string>>): string | undefined {
  return metadataFault(pairs, false)
}

export function checkIps(values: readonly string[]): string | undefined {
  if (values.length === 0) return 'give at least one IP address'
  return values.map(checkListenIp).find((reason) => reason !== undefined)
}

/** An address that a port can be opened on. */
function checkListenIp(value: string): string | undefined {
  const ip = parseIp(value)
  if (ip === undefined) return checkIp(value)
  if (ip.length === 4) return undefined
  const [first = 0, second = 0] = ip
  if (first === 0xfe && (second & 0xc0) === 0x80) {
    return `"${value}" is a link-local address, which svcd cannot listen on; give another address of that interface, or "::" for all addresses`
  }
  // ::ffff:0:0/96 (RFC 4291 §2.5.5.2)
  if (ip.subarray(0, 10).some((byte) => byte !== 0) || ip[10] !== 0xff || ip[11] !== 0xff) {
    return undefined
  }
  return `"${value}" is an IPv4 address in IPv6 notation; write ${formatIp(ip.subarray(12))}`
}

/** Host names without port; `.example.com` and `*.example.com` mean all names below, `*` means any. */
export function checkHostPatterns(values: readonly string[]): string | undefined {
  return values.map(checkHostPattern).find((reason) => reason !== undefined)
}

function checkHostPattern(value: string): string | undefined {
  const name = value.replace(/^\*?\./, '').replace(/\.$/, '')
  if (value === '*' || checkDnsName(name) === undefined) return undefined
  return `"${value}" is not a host name; write it without scheme and port, such as svcd.example.com`
}

/** An address that other nodes can connect to; 0.0.0.0 and :: are not. */
export function checkHostIp(value: string): string | undefined {
  const ip = parseIp(value)
  if (ip === undefined) return checkIp(value)
  return isUnspecifiedIp(ip)
    ? `"${value}" is not an address that other nodes can connect to; give an IP address of this machine`
    : undefined
}

export function checkNotEmpty(value: string): string | undefined {
  return value === '' ? 'must not be empty' : undefined
}

export function checkPositiveSeconds(value: number): string | undefined {
  return value > 0 ? undefined : 'must be 1s or more'
}

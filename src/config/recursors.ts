import { isUnspecifiedIp, parseIp } from '../base/ip.ts'
import { parsePrefix } from '../base/ip-prefixes.ts'
import { checkDnsName } from './check.ts'

/** An upstream DNS server as an option names it. */
export interface RecursorAddress {
  readonly address: string
  readonly port: number
  /** Over TLS; `name`: what its certificate must be valid for, if not its address. */
  readonly tls: { readonly name: string | undefined } | undefined
}

const dnsPort = 53
const dotPort = 853

/** Undefined: it is not the address of a server. */
export function parseRecursor(text: string): RecursorAddress | undefined {
  const isTls = text.startsWith('tls://')
  const [place = '', name, ...more] = (isTls ? text.slice(6) : text).split('#')
  if (more.length > 0 || (name !== undefined && (!isTls || checkDnsName(name) !== undefined))) {
    return undefined
  }
  const server = parseServerAddress(place, isTls ? dotPort : dnsPort)
  return server && { ...server, tls: isTls ? { name } : undefined }
}

/** Reads `ADDRESS[:PORT]` of a server; undefined: it is none. */
export function parseServerAddress(
  text: string,
  portDefault: number,
): { readonly address: string; readonly port: number } | undefined {
  const [, bracketed, v4, given] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? v4 ?? text
  const ip = parseIp(address)
  const port = given === undefined ? portDefault : Number(given)
  if (ip === undefined || isUnspecifiedIp(ip) || port < 1 || port > 0xffff) return undefined
  return { address, port }
}

export function checkRecursors(values: readonly string[]): string | undefined {
  const bad = values.find((value) => parseRecursor(value) === undefined)
  if (bad === undefined) return undefined
  return `"${bad}" is not a DNS server; write an IP address such as 10.0.0.2, with a port if it is not 53, or tls://9.9.9.9#dns.quad9.net`
}

export function checkPrefixes(values: readonly string[]): string | undefined {
  const bad = values.find((value) => parsePrefix(value) === undefined)
  return bad === undefined
    ? undefined
    : `"${bad}" is not a network; write it as 10.0.0.0/8 or fd00::/8, or give one address`
}

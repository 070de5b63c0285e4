import { parsePrefix } from '../base/ip-prefixes.ts'
import { checkDnsName } from './check.ts'
import { parseServerAddress } from './recursors.ts'

/** A TSIG key as a text names it. */
export interface TsigKeyText {
  readonly name: string
  readonly algorithm: string
  readonly secret: Uint8Array
}

/** Who may transfer zones. */
export interface TransferRuleText {
  /** Undefined: any address. */
  readonly network: string | undefined
  /** Undefined: no key is needed. */
  readonly key: string | undefined
}

/** A secondary that is told of changes. */
export interface SecondaryText {
  readonly address: string
  readonly port: number
  readonly key: string | undefined
}

const dnsPort = 53
const algorithms = ['hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512']
/** An empty secret, or one of a few octets, protects nothing. */
const secretBytesMin = 8

/** Reads `[ALGORITHM:]NAME:SECRET`, as dig takes it. The reason never contains the secret. */
export function parseTsigKey(text: string): TsigKeyText | { readonly reason: string } {
  const parts = text.split(':')
  const [algorithm = '', name = '', secret = ''] =
    parts.length === 2 ? ['hmac-sha256', ...parts] : parts
  if (parts.length < 2 || parts.length > 3) {
    return { reason: 'a TSIG key is [ALGORITHM:]NAME:SECRET' }
  }
  return keyOf(algorithm, name, secret)
}

function keyOf(
  algorithm: string,
  name: string,
  secret: string,
): TsigKeyText | { readonly reason: string } {
  const plain = name.replace(/\.$/, '').toLowerCase()
  if (checkDnsName(plain) !== undefined) {
    return { reason: 'the name of a TSIG key must be a DNS name, such as transfer.example' }
  }
  const known = algorithm.replace(/\.$/, '').toLowerCase()
  if (!algorithms.includes(known)) {
    return { reason: `the algorithm of TSIG key ${plain} is not one of ${algorithms.join(', ')}` }
  }
  const bytes = Buffer.from(secret, 'base64')
  if (bytes.toString('base64') !== secret || bytes.length < secretBytesMin) {
    return {
      reason: `the secret of TSIG key ${plain} is not base64 of ${secretBytesMin} bytes or more`,
    }
  }
  return { name: plain, algorithm: known, secret: new Uint8Array(bytes) }
}

/**
 * The keys in a file: as BIND and `tsig-keygen` write them (`key "NAME" { algorithm A; secret "S"; };`), or
 * one {@link parseTsigKey} per line.
 */
export function parseTsigFile(text: string): readonly TsigKeyText[] | { readonly reason: string } {
  const plain = text.replaceAll(/\/\*[^]*?\*\/|(?:#|\/\/).*$/gm, '').trim()
  const found = plain.startsWith('key') ? bindKeys(plain) : plain.split(/\s+/).map(parseTsigKey)
  const bad = found.find((key) => 'reason' in key)
  if (bad !== undefined && 'reason' in bad) return bad
  const keys = found.flatMap((key) => ('reason' in key ? [] : [key]))
  return keys.length > 0 ? keys : { reason: 'it has no TSIG key' }
}

function bindKeys(text: string): (TsigKeyText | { readonly reason: string })[] {
  const blocks = [...text.matchAll(/key\s+"?([^\s"{]+)"?\s*\{([^}]*)\}\s*;?/g)]
  return blocks.map(([, name = '', body = '']) => {
    const algorithm = /algorithm\s+"?([^\s";]+)"?\s*;/.exec(body)?.[1] ?? ''
    const secret = /secret\s+"?([^\s";]+)"?\s*;/.exec(body)?.[1] ?? ''
    return keyOf(algorithm, name, secret)
  })
}

/** Reads `NETWORK`, `NETWORK#KEY` or `key:KEY`; undefined: it is none of these. */
export function parseTransferRule(text: string): TransferRuleText | undefined {
  if (text.startsWith('key:')) {
    const key = parseKeyName(text.slice(4))
    return key === undefined ? undefined : { network: undefined, key }
  }
  const [network = '', name, ...more] = text.split('#')
  const key = name === undefined ? undefined : parseKeyName(name)
  if (more.length > 0 || (name !== undefined && key === undefined)) return undefined
  return parsePrefix(network) === undefined ? undefined : { network, key }
}

/** Reads `ADDRESS[:PORT][#KEY]`; undefined: it is not the address of a server. */
export function parseSecondary(text: string): SecondaryText | undefined {
  const [place = '', name, ...more] = text.split('#')
  const key = name === undefined ? undefined : parseKeyName(name)
  if (more.length > 0 || (name !== undefined && key === undefined)) return undefined
  const at = parseServerAddress(place, dnsPort)
  return at && { ...at, key }
}

function parseKeyName(text: string): string | undefined {
  const name = text.replace(/\.$/, '').toLowerCase()
  return checkDnsName(name) === undefined ? name : undefined
}

export function checkTsigKeys(values: readonly string[]): string | undefined {
  const keys = values.map(parseTsigKey)
  for (const key of keys) if ('reason' in key) return key.reason
  return undefined
}

export function checkTransferAllow(values: readonly string[]): string | undefined {
  const bad = values.find((value) => parseTransferRule(value) === undefined)
  if (bad === undefined) return undefined
  return `"${bad}" does not say who may transfer zones; write a network such as 10.0.0.2 or 10.0.0.0/8, a key such as key:transfer, or both as 10.0.0.2#transfer`
}

export function checkNotify(values: readonly string[]): string | undefined {
  const bad = values.find((value) => parseSecondary(value) === undefined)
  if (bad === undefined) return undefined
  return `"${bad}" is not a secondary; write an IP address such as 10.0.0.2, with a port if it is not 53 and a key if the message is to be signed: 10.0.0.2:5300#transfer`
}

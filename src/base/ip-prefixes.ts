import { parseIp } from './ip.ts'

interface Prefix {
  readonly bytes: Uint8Array
  readonly bits: number
}

/** Parses `10.0.0.0/8`, `fd00::/8` or a single address; undefined if it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const bytes = parseIp(address)
  if (bytes === undefined) return undefined
  const bits = length === undefined ? bytes.length * 8 : Number(length)
  return bits > bytes.length * 8 ? undefined : { bytes, bits }
}

/** A set of networks. */
export class IpPrefixes {
  readonly #v4: readonly Prefix[]
  readonly #v6: readonly Prefix[]
  #lastText = ''
  #isLastIn = false

  /** Leaves out texts that cannot be parsed. */
  constructor(texts: readonly string[]) {
    const all = texts.map(parsePrefix).filter((prefix) => prefix !== undefined)
    this.#v4 = all.filter(({ bytes }) => bytes.length === 4)
    this.#v6 = all.filter(({ bytes }) => bytes.length === 16)
  }

  /** Whether the address of 4 or 16 octets at `at` is in one of them. */
  contains(bytes: Uint8Array, at: number, length: number): boolean {
    if (length === 4) return isInOne(this.#v4, bytes, at)
    if (isMapped(bytes, at)) return isInOne(this.#v4, bytes, at + 12)
    return isInOne(this.#v6, bytes, at)
  }

  containsText(address: string): boolean {
    if (address === this.#lastText) return this.#isLastIn
    const bytes = parseIp(address.split('%')[0] ?? '')
    this.#lastText = address
    this.#isLastIn = bytes !== undefined && this.contains(bytes, 0, bytes.length)
    return this.#isLastIn
  }
}

function isInOne(prefixes: readonly Prefix[], bytes: Uint8Array, at: number): boolean {
  for (const prefix of prefixes) if (isIn(prefix, bytes, at)) return true
  return false
}

function isIn({ bytes: network, bits }: Prefix, bytes: Uint8Array, at: number): boolean {
  const whole = bits >> 3
  for (let each = 0; each < whole; each++) if (network[each] !== bytes[at + each]) return false
  const rest = bits & 7
  if (rest === 0) return true
  return ((network[whole] ?? 0) ^ (bytes[at + whole] ?? 0)) >> (8 - rest) === 0
}

/** An IPv4 address as a socket for both families shows it (RFC 4291 §2.5.5.2): its last 4 octets. */
export function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let each = at; each < at + 10; each++) if (bytes[each] !== 0) return false
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff
}

/** An IP address: 4 or 16 bytes in network order. */
export type IpBytes = Uint8Array

/** Parses dotted-quad IPv4, without leading zeros or short forms; undefined when it is not one. */
export function parseIpv4(text: string): IpBytes | undefined {
  const bytes = new Uint8Array(4)
  return readIpv4(text, 0, text.length, bytes, 0) ? bytes : undefined
}

/** Writes the address in [start, end) of a text to `out` from `to` on; false, with octets written, if it is none. */
export function readIpv4(
  text: string,
  start: number,
  end: number,
  out: Uint8Array,
  to: number,
): boolean {
  // By hand: an answer parses an address for every instance.
  let part = 0
  let digits = 0
  let value = 0
  for (let at = start; at <= end; at++) {
    const code = at === end ? dot : text.charCodeAt(at)
    if (code === dot) {
      if (digits === 0 || part > 3) return false
      out[to + part++] = value
      digits = value = 0
      continue
    }
    const digit = code - zero
    if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return false
    value = value * 10 + digit
    if (value > 255) return false
    digits++
  }
  return part === 4
}

const dot = 0x2e
const zero = 0x30

/** Parses IPv6 text (RFC 4291 §2.2, an IPv4 tail allowed, no zone); undefined when it is not one. */
export function parseIpv6(text: string): IpBytes | undefined {
  const halves = text.split('::')
  if (halves.length > 2 || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  // "::" stands for at least one group of zeros (RFC 5952 §4.2.2 reads it so; RFC 4291 allows it).
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined
  const bytes = new Uint8Array(16)
  bytes.set(head)
  bytes.set(tail, 16 - tail.length)
  return bytes
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [at, group] of groups.entries()) {
    if (group.includes('.')) {
      const v4 = mayEndInIpv4 && at === groups.length - 1 ? parseIpv4(group) : undefined
      if (v4 === undefined) return undefined
      bytes.push(...v4)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes
}

/** Parses an IP address of either family; undefined when `text` is a host name or nonsense. */
export function parseIp(text: string): IpBytes | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Formats 4 or 16 bytes; IPv6 in the canonical form of RFC 5952. */
export function formatIp(bytes: IpBytes): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups: number[] = []
  for (let at = 0; at < 16; at += 2) groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))
  const run = longestZeroRun(groups)
  const hex = groups.map((group) => group.toString(16))
  if (run.length < 2) return hex.join(':')
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (let at = 0; at <= groups.length; at++) {
    if (at < groups.length && groups[at] === 0) continue
    if (at - start > best.length) best = { start, length: at - start }
    start = at + 1
  }
  return best
}

/** The IPv4 address that an IPv4-mapped one stands for (RFC 4291 §2.5.5.2); any other text as it is. */
export function unmappedIp(text: string): string {
  const bytes = text.includes(':') ? parseIpv6(text) : undefined
  if (bytes === undefined) return text
  const isMapped =
    bytes[10] === 0xff && bytes[11] === 0xff && isUnspecifiedIp(bytes.subarray(0, 10))
  return isMapped ? formatIp(bytes.subarray(12)) : text
}

/** True for 0.0.0.0 and ::, which name no host. */
export function isUnspecifiedIp(bytes: IpBytes): boolean {
  return bytes.every((byte) => byte === 0)
}

/** 127.0.0.0/8 and ::1: only this machine can reach them (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopbackIp(bytes: IpBytes): boolean {
  if (bytes.length === 4) return bytes[0] === 127
  return bytes.at(-1) === 1 && bytes.subarray(0, -1).every((byte) => byte === 0)
}

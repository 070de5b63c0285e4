import { parseIpv6, readIpv4 } from '../../base/ip.ts'

/** The addresses of all instances of a service, if each has one of its own and nothing else tells them apart. */
export interface PlainAddresses {
  /** The octets of one address: 4 or 16. */
  readonly size: 4 | 16
  /** All addresses, one after the other, in the order of the instances. */
  readonly octets: Uint8Array
}

/** Of a service with more instances, the other way is as good. */
const instancesMax = 64
/** Further fields of an instance behind the first four. */
const fieldsBehind = 4

/**
 * Reads the addresses in the text of `candidateQueries.compact`, without an object for each instance. Undefined if an
 * instance has no IP address, or tagged ones; if the instances have different weights, families, or one address
 * twice; and if the text is not what it should be.
 */
export function plainAddresses(
  text: string,
  count: number,
  separator: string,
): PlainAddresses | undefined {
  if (count > instancesMax) return undefined
  const firstEnd = text.indexOf(separator)
  const common = commonFields(text, firstEnd, separator)
  if (common === undefined) return undefined
  const size = text.slice(0, firstEnd).includes(':') ? 16 : 4
  const octets = new Uint8Array(count * size)
  let at = 0
  for (let read = 0; read < octets.length; read += size) {
    const end = text.indexOf(separator, at)
    const isRead =
      size === 4
        ? readIpv4(text, at, end, octets, read)
        : readIpv6(text.slice(at, end), octets, read)
    if (!isRead || isKnown(octets, read, size)) return undefined
    if (!text.startsWith(common, end)) return undefined
    at = end + common.length
    for (let field = 0; field < fieldsBehind; field++) {
      const next = text.indexOf(separator, at)
      // The last field of all has no separator behind it.
      if (next < 0)
        return read + size === octets.length && field === fieldsBehind - 1
          ? { size, octets }
          : undefined
      at = next + 1
    }
  }
  return undefined
}

/** Weights and tagged addresses with the separators around them; undefined if there are tagged addresses. */
function commonFields(text: string, firstEnd: number, separator: string): string | undefined {
  const warning = text.indexOf(separator, firstEnd + 1)
  const tagged = text.indexOf(separator, warning + 1)
  const end = tagged + separator.length + 2
  const common = text.slice(firstEnd, end + separator.length)
  return common.endsWith(`${separator}{}${separator}`) ? common : undefined
}

function readIpv6(text: string, out: Uint8Array, to: number): boolean {
  const ip = parseIpv6(text)
  if (ip === undefined) return false
  out.set(ip, to)
  return true
}

/** Whether the address at `at` is also before it. */
function isKnown(octets: Uint8Array, at: number, size: number): boolean {
  for (let other = 0; other < at; other += size) {
    let same = 0
    while (same < size && octets[other + same] === octets[at + same]) same++
    if (same === size) return true
  }
  return false
}

import { formatIp } from '../base/ip.ts'
import { formatName, readName } from './name.ts'
import { formatParameter, serviceParameter } from './service-parameter.ts'

const { mandatory, alpn, port, ipv4hint, ipv6hint, ech } = serviceParameter
const noDefaultAlpn = serviceParameter['no-default-alpn']

/** The data of SVCB and HTTPS as a zone file writes it (RFC 9460 §2.1); undefined if it is malformed. */
export function formatServiceBinding(data: Buffer): string | undefined {
  const target = data.length < 3 ? undefined : readName(data, 2, data.length)
  if (target === undefined) return undefined
  const words = [String(data.readUInt16BE(0)), formatName(target.name)]
  let at = target.next
  while (at + 4 <= data.length) {
    const end = at + 4 + data.readUInt16BE(at + 2)
    if (end > data.length) return undefined
    const word = formatValue(data.readUInt16BE(at), data.subarray(at + 4, end))
    if (word === undefined) return undefined
    words.push(word)
    at = end
  }
  return at === data.length ? words.join(' ') : undefined
}

function formatValue(key: number, value: Buffer): string | undefined {
  const name = formatParameter(key)
  switch (key) {
    case mandatory:
      return listed(name, value, 2, (each) => formatParameter(each.readUInt16BE(0)))
    case alpn: {
      const protocols = characterStringsOf(value)
      return protocols && `${name}=${quoted(protocols.map(escapeItem).join(','))}`
    }
    case noDefaultAlpn:
      return value.length === 0 ? name : undefined
    case port:
      return value.length === 2 ? `${name}=${value.readUInt16BE(0)}` : undefined
    case ipv4hint:
      return listed(name, value, 4, formatIp)
    case ipv6hint:
      return listed(name, value, 16, formatIp)
    case ech:
      return `${name}=${value.toString('base64')}`
    default:
      return value.length === 0 ? name : `${name}=${quoted(value.toString('latin1'))}`
  }
}

/** A list of items of equal size. */
function listed(
  name: string,
  value: Buffer,
  itemBytes: number,
  format: (item: Buffer) => string,
): string | undefined {
  if (value.length === 0 || value.length % itemBytes !== 0) return undefined
  const count = value.length / itemBytes
  const items = Array.from({ length: count }, (_, at) => {
    return format(value.subarray(at * itemBytes, (at + 1) * itemBytes))
  })
  return `${name}=${items.join(',')}`
}

function characterStringsOf(value: Buffer): readonly string[] | undefined {
  const strings: string[] = []
  let at = 0
  while (at < value.length) {
    const end = at + 1 + (value[at] ?? 0)
    if (end > value.length) return undefined
    strings.push(value.toString('latin1', at + 1, end))
    at = end
  }
  return strings
}

/** RFC 9460 Appendix A.1: a comma within an item is escaped, and so is the escape itself. */
function escapeItem(item: string): string {
  return item.replaceAll(/[\\,]/g, (char) => `\\${char}`)
}

function quoted(octets: string): string {
  const escaped = octets.replaceAll(/["\\]|[^ -~]/g, (char) => {
    const code = char.charCodeAt(0)
    return code > 31 && code < 127 ? `\\${char}` : `\\${String(code).padStart(3, '0')}`
  })
  return `"${escaped}"`
}

import { parseIpv4, parseIpv6 } from '../../base/ip.ts'
import { ZoneFileProblem, parseInteger, quote, unescape } from './fields.ts'
import { name, string, u16 } from '../octets.ts'
import { serviceParameter } from '../service-parameter.ts'
import type { Fields } from './fields.ts'

const keys: Readonly<Record<string, number>> = serviceParameter

/** RFC 9460 §2.1: priority, target, and parameters as `key` or `key=value`. */
export function parseServiceBinding(fields: Fields): string {
  fields.atLeast('priority', 'target')
  const head = u16(fields.integer(0xffff)) + name(fields.name())
  const values = new Map<number, string>()
  // The lexer reads `key="a value"` as two tokens.
  const words = fields.rest()
  for (let at = 0; at < words.length; at++) {
    const [, keyText = '', sign = '', inline = ''] =
      /^([^=]*)(=?)([^]*)$/.exec(words[at]?.text ?? '') ?? []
    const next = words[at + 1]
    const isQuoted = sign !== '' && inline === '' && next?.quoted === true
    if (isQuoted) at++
    const key = parseKey(keyText)
    if (values.has(key)) throw new ZoneFileProblem(`the parameter ${keyText} is given twice`)
    values.set(key, valueOf(key, unescape(isQuoted ? next.text : inline), keyText))
  }
  checkMandatory(values)
  const sorted = [...values].toSorted(([a], [b]) => a - b)
  return head + sorted.map(([key, value]) => u16(key) + u16(value.length) + value).join('')
}

function parseKey(text: string): number {
  const number = /^key(\d{1,5})$/.exec(text)?.[1]
  const key = keys[text] ?? (number === undefined ? undefined : parseInteger(number, 0xfffe))
  if (key === undefined)
    throw new ZoneFileProblem(`${quote(text)} is not a valid service parameter`)
  return key
}

function valueOf(key: number, value: string, keyText: string): string {
  const parts = value === '' ? [] : itemsOf(value)
  if (keyText.startsWith('key')) return value
  const isEmptyWanted = key === keys['no-default-alpn']
  if (isEmptyWanted !== (value === '')) {
    throw new ZoneFileProblem(`${keyText} ${isEmptyWanted ? 'takes no' : 'needs a'} value`)
  }
  switch (key) {
    case keys['mandatory']:
      return parseMandatory(parts)
    case keys['alpn']:
      return parts.map(parseProtocol).join('')
    case keys['port']:
      return u16(parseInteger(value, 0xffff))
    case keys['ipv4hint']:
      return parts.map((text) => address(text, parseIpv4(text))).join('')
    case keys['ipv6hint']:
      return parts.map((text) => address(text, parseIpv6(text))).join('')
    case keys['ech']:
      return Buffer.from(value, 'base64').toString('latin1')
    default:
      return value
  }
}

/** RFC 9460 Appendix A.1: commas separate items, and a backslash makes the next character a part of one. */
function itemsOf(value: string): readonly string[] {
  const items = ['']
  for (const [piece, char] of value.matchAll(/\\?([^])/g)) {
    if (piece === ',') items.push('')
    else items.push((items.pop() ?? '') + char)
  }
  return items
}

/** RFC 9460 §8: in ascending order, each once. */
function parseMandatory(parts: readonly string[]): string {
  const listed = parts.map(parseKey).toSorted((a, b) => a - b)
  const twice = listed.find((key, at) => key === listed[at - 1])
  if (twice !== undefined) {
    throw new ZoneFileProblem(`mandatory lists the parameter ${twice} twice`)
  }
  return listed.map(u16).join('')
}

function parseProtocol(text: string): string {
  if (text === '' || text.length > 255)
    throw new ZoneFileProblem(`${quote(text)} is not a valid protocol`)
  return string(text)
}

function address(text: string, ip: Uint8Array | undefined): string {
  if (ip === undefined) throw new ZoneFileProblem(`${quote(text)} is not a valid address`)
  return Buffer.from(ip).toString('latin1')
}

/** RFC 9460 §8: mandatory parameters must be present, and `mandatory` must not list itself. */
function checkMandatory(values: ReadonlyMap<number, string>): void {
  const listed = Buffer.from(values.get(0) ?? '', 'latin1')
  for (let at = 0; at + 1 < listed.length; at += 2) {
    const key = listed.readUInt16BE(at)
    if (key === 0) throw new ZoneFileProblem('mandatory must not list itself')
    if (!values.has(key)) {
      throw new ZoneFileProblem(`mandatory lists the parameter ${key}, which is missing`)
    }
  }
}

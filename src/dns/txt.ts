import { utf8ToOctets } from './name.ts'
import { characterStrings } from './record.ts'
import type { RecordData } from './record.ts'

/**
 * Meta as TXT, one text per pair, sorted by key: `key=value` escaped as in RFC 1464. A key that starts
 * with `rfc1035-` adds only its value (Consul's rule).
 */
export function metaStrings(
  meta: Readonly<Record<string, string>>,
): readonly (readonly string[])[] {
  return Object.keys(meta)
    .toSorted()
    .map((key) => characterStrings(utf8ToOctets(metaText(key, meta[key] ?? ''))))
}

/**
 * Meta as the strings of one TXT record, as RFC 6763 §6 has it: `key=value`, not escaped. A pair that is too long
 * for a string is left out. A record without pairs has one empty string.
 */
export function pairStrings(meta: Readonly<Record<string, string>>): readonly string[] {
  const pairs = Object.keys(meta)
    .toSorted()
    .map((key) => utf8ToOctets(`${key}=${meta[key] ?? ''}`))
    .filter((pair) => pair.length <= 255)
  return pairs.length === 0 ? [''] : pairs
}

function metaText(key: string, value: string): string {
  if (key.toLowerCase().startsWith('rfc1035-')) return value
  const escaped = key
    .replaceAll('`', '``')
    .replaceAll('=', '`=')
    .replace(/^ +/, (spaces) => '` '.repeat(spaces.length))
    .replace(/ +$/, (spaces) => '` '.repeat(spaces.length))
  return `${escaped}=${value.replaceAll('`', '``')}`
}

/** One TXT record per text, duplicates removed. */
export function txtData(texts: readonly (readonly string[])[]): readonly RecordData[] {
  const found = new Map(texts.map((strings) => [strings.join(''), strings]))
  return [...found.values()].map((strings) => ({ kind: 'txt', strings }))
}

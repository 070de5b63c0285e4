import { utf8ToOctets } from './name.ts'
import { characterStrings } from './record.ts'

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

function metaText(key: string, value: string): string {
  if (key.toLowerCase().startsWith('rfc1035-')) return value
  const escaped = key
    .replaceAll('`', '``')
    .replaceAll('=', '`=')
    .replace(/^ +/, (spaces) => '` '.repeat(spaces.length))
    .replace(/ +$/, (spaces) => '` '.repeat(spaces.length))
  return `${escaped}=${value.replaceAll('`', '``')}`
}

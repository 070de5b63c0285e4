import { invisibleCharacter, visible } from '../base/invisible.ts'

/** JSON data as YAML 1.2, in blocks, indented by two. */
export function toYaml(value: unknown): string {
  const plain = JSON.parse(JSON.stringify(value ?? null)) as unknown
  return isNested(plain) ? block(plain, '') : `${scalar(plain)}\n`
}

type Nested = readonly unknown[] | Readonly<Record<string, unknown>>

/** A list or a map with something in it. */
function isNested(value: unknown): value is Nested {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function block(value: Nested, margin: string): string {
  if (Array.isArray(value))
    return value.map((item) => `${margin}- ${inItem(item, margin)}`).join('')
  return Object.entries(value)
    .map(([key, item]) => `${margin}${text(key)}:${inField(item, margin)}`)
    .join('')
}

/** After `- `: a map or a list starts on the same line. */
function inItem(item: unknown, margin: string): string {
  if (!isNested(item)) return `${scalar(item)}\n`
  return block(item, `${margin}  `).slice(margin.length + 2)
}

function inField(item: unknown, margin: string): string {
  return isNested(item) ? `\n${block(item, `${margin}  `)}` : ` ${scalar(item)}\n`
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return text(value)
  if (Array.isArray(value)) return '[]'
  return typeof value === 'object' && value !== null ? '{}' : JSON.stringify(value)
}

// Words that some reader of YAML 1.1 or 1.2 does not read as a string.
const otherMeaning = /^(?:true|false|yes|no|on|off|y|n|null)$/i
// No colon, hash, quote or sign at the front: nothing that means something in YAML.
const isPlain = /^[A-Za-z_/][\w./@+-]*(?: [\w./@+-]+)*$/

/** Plain if every reader reads it as a string, otherwise in double quotes (YAML 1.2 §7.3.1). */
function text(value: string): string {
  if (isPlain.test(value) && !otherMeaning.test(value)) return value
  const quoted = JSON.stringify(value)
  return invisibleCharacter(quoted) === undefined ? quoted : escaped(quoted)
}

/** Invisible characters by their code points: `\u202e`, `\U000e0041` (YAML 1.2 §5.7). */
function escaped(quoted: string): string {
  return visible(quoted).replaceAll(/\\u\{([\da-f]+)\}/g, (_, hex: string) =>
    hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`,
  )
}

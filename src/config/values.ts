import { parseDuration } from '../base/duration.ts'
import type { OptionRow } from './option-row.ts'

/** The value of one option, or why it is refused. */
export type Parsed = { readonly value: unknown } | { readonly reason: string }

/** Reads the text of a flag or an environment variable; a repeated flag gives several texts. */
export function parseTexts(row: OptionRow, texts: readonly string[]): Parsed {
  const text = texts.at(-1) ?? ''
  switch (row.kind) {
    case 'boolean':
      return parseBoolean(text)
    case 'integer':
      return /^[+-]?\d+$/.test(text) ? parseJson(row, Number(text)) : notAnInteger(row, text)
    case 'seconds-by-name':
      return parsePairs(texts)
    case 'texts-by-name':
      return parseTextPairs(texts)
    case 'strings':
      return { value: texts.flatMap(splitSpaces) }
    case 'string':
    case 'seconds':
    case 'choice':
      return parseJson(row, text)
  }
}

/** Reads the value of a key in a config file. */
export function parseJson(row: OptionRow, value: unknown): Parsed {
  switch (row.kind) {
    case 'boolean':
      return typeof value === 'boolean'
        ? { value }
        : { reason: `${show(value)} is not true or false` }
    case 'string':
      return typeof value === 'string' ? { value } : { reason: `${show(value)} is not a string` }
    case 'strings':
      return parseStrings(value)
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) && inRange(row, value)
        ? { value }
        : notAnInteger(row, value)
    case 'choice':
      return parseChoice(row.choices, value)
    case 'seconds':
      return parseSeconds(value)
    case 'seconds-by-name':
      return parseByName(value)
    case 'texts-by-name':
      return parseTextsByName(value)
  }
}

// The words that Go's flag package accepts, so that `-server=1` works as it does with Consul.
function parseBoolean(text: string): Parsed {
  if (/^(?:1|t|true)$/i.test(text)) return { value: true }
  if (/^(?:0|f|false)$/i.test(text)) return { value: false }
  return { reason: `"${text}" is not true or false` }
}

function parseStrings(value: unknown): Parsed {
  if (typeof value === 'string') return { value: splitSpaces(value) }
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string')
  return isList ? { value } : { reason: `${show(value)} is not a string or a list of strings` }
}

/** A list appended to one that was set under another name of the same option. */
export function appended(earlier: unknown, parsed: Parsed): Parsed {
  if (!Array.isArray(earlier) || !('value' in parsed) || !Array.isArray(parsed.value)) return parsed
  return {
    value: [...new Set<unknown>([...(earlier as unknown[]), ...(parsed.value as unknown[])])],
  }
}

export function splitSpaces(text: string): string[] {
  return text.split(/\s+/).filter((part) => part !== '')
}

function inRange(row: { readonly min: number; readonly max: number }, value: number): boolean {
  return value >= row.min && value <= row.max
}

function notAnInteger(row: { readonly min: number; readonly max: number }, value: unknown): Parsed {
  return { reason: `${show(value)} is not a whole number from ${row.min} to ${row.max}` }
}

/** Consul's other spellings of the same log levels. */
const synonyms: Readonly<Record<string, string>> = { trace: 'debug', err: 'error', warning: 'warn' }

function parseChoice(choices: readonly string[], value: unknown): Parsed {
  const word = typeof value === 'string' ? value.toLowerCase() : ''
  const synonym = synonyms[word]
  const chosen = synonym !== undefined && choices.includes(synonym) ? synonym : word
  if (choices.includes(chosen)) return { value: chosen }
  return { reason: `${show(value)} is not one of ${choices.join(', ')}` }
}

function parseSeconds(value: unknown): Parsed {
  // A number without a unit means nanoseconds to Consul and seconds to most users, so the unit is required.
  const durationMs = typeof value === 'string' ? parseDuration(value.trim()) : undefined
  if (durationMs === undefined) {
    return { reason: `${show(value)} is not a duration; write a number with a unit, such as "30s"` }
  }
  const seconds = durationMs / 1000
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > 0x7fff_ffff) {
    return { reason: `${show(value)} is not a whole number of seconds` }
  }
  return { value: seconds }
}

function parseByName(value: unknown): Parsed {
  if (!isObject(value))
    return { reason: `${show(value)} is not an object of durations, such as {"web": "10s"}` }
  const seconds: Record<string, number> = {}
  for (const [name, duration] of Object.entries(value)) {
    const parsed = parseSeconds(duration)
    if ('reason' in parsed) return { reason: `for "${name}": ${parsed.reason}` }
    seconds[name.toLowerCase()] = Number(parsed.value)
  }
  return { value: seconds }
}

function parsePairs(texts: readonly string[]): Parsed {
  const pairs: Record<string, string> = {}
  for (const pair of texts.flatMap((text) => text.split(','))) {
    const [, name, duration] = /^([^=]+)=(.*)$/.exec(pair.trim()) ?? []
    if (name === undefined || duration === undefined) {
      return { reason: `"${pair}" is not NAME=DURATION, such as web=10s` }
    }
    pairs[name] = duration
  }
  return parseByName(pairs)
}

/** The first "=" or ":" separates: Consul's flag uses the colon, its other tools the equals sign. */
function parseTextPairs(texts: readonly string[]): Parsed {
  const pairs: [string, string][] = []
  for (const text of texts) {
    const at = text.search(/[=:]/)
    if (at < 1) return { reason: `"${text}" is not KEY=VALUE, such as rack=a1` }
    pairs.push([text.slice(0, at), text.slice(at + 1)])
  }
  return { value: Object.fromEntries(pairs) }
}

function parseTextsByName(value: unknown): Parsed {
  if (!isObject(value))
    return { reason: `${show(value)} is not an object of strings, such as {"rack": "a1"}` }
  const odd = Object.entries(value).find(([, text]) => typeof text !== 'string')
  if (odd !== undefined) return { reason: `for "${odd[0]}": ${show(odd[1])} is not a string` }
  return { value: Object.fromEntries(Object.entries(value)) }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}

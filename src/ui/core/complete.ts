import { quoted, statuses } from './query.ts'

/** The values that a query can name. */
export interface KnownValues {
  readonly service: readonly string[]
  readonly tag: readonly string[]
}

/** A way to continue a query. */
export interface Suggestion {
  /** The last word, completed. */
  readonly word: string
  /** The whole query with it. */
  readonly query: string
}

const fields = ['service:', 'tag:', 'status:', 'node:', 'meta.'] as const
const suggestionsMax = 8

/** How the last word of a query can continue. Nothing is suggested behind a space: the query may be complete. */
export function suggestionsFor(text: string, known: KnownValues): readonly Suggestion[] {
  const [, before = '', minus = '', word = ''] = /^([^]*?\s|)(-?)(\S*)$/.exec(text) ?? []
  if (word === '') return []
  return wordsFor(word, known)
    .filter((each) => each !== word)
    .slice(0, suggestionsMax)
    .map((each) => ({ word: minus + each, query: before + minus + each }))
}

function wordsFor(word: string, known: KnownValues): readonly string[] {
  const [, field, value = ''] = /^(\w+):(.*)$/.exec(word) ?? []
  if (field === undefined) {
    const begun = fields.filter((each) => each.startsWith(word.toLowerCase()))
    return [...begun, ...fitting(known.service, word).map((name) => `service:${quoted(name)}`)]
  }
  const begun = value.replaceAll('"', '')
  return valuesOf(field.toLowerCase(), known, begun).map((each) => `${field}:${quoted(each)}`)
}

function valuesOf(field: string, known: KnownValues, begun: string): readonly string[] {
  if (field === 'status') return fitting(statuses, begun)
  if (field === 'service' || field === 'tag') return fitting(known[field], begun)
  return []
}

/** What begins with a text comes before what only contains it. */
function fitting(values: readonly string[], begun: string): readonly string[] {
  const small = begun.toLowerCase()
  const starting: string[] = []
  const containing: string[] = []
  for (const value of values) {
    const at = value.toLowerCase().indexOf(small)
    if (at === 0) starting.push(value)
    else if (at > 0) containing.push(value)
    if (starting.length === suggestionsMax) break
  }
  return [...starting, ...containing].slice(0, suggestionsMax)
}

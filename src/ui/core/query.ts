// The language of the query box: `service:web tag:v2 status:critical node:n1 meta.k:v -tag:x name`.

export type Field = 'name' | 'service' | 'tag' | 'status' | 'node' | 'meta'

export const statuses = ['passing', 'warning', 'critical', 'maintenance'] as const
export type Status = (typeof statuses)[number]

/** One condition. All terms of a query must hold. */
export interface Term {
  readonly field: Field
  /** The key of a `meta` term, otherwise ''. */
  readonly key: string
  /** One of them is enough. */
  readonly values: readonly string[]
  readonly isNegated: boolean
}

/** A part that is not understood, and is left out. */
export interface QueryFault {
  /** Where it begins, counted from 0. */
  readonly at: number
  readonly text: string
}

export interface ParsedQuery {
  readonly terms: readonly Term[]
  readonly faults: readonly QueryFault[]
}

interface Word {
  readonly at: number
  readonly isNegated: boolean
  /** Undefined: free text. */
  readonly field: string | undefined
  readonly value: string
  readonly isOpen: boolean
}

/** Reads a query. Parts that are wrong do not take the others with them. */
export function parseQuery(text: string): ParsedQuery {
  const terms: Term[] = []
  const faults: QueryFault[] = []
  for (const word of wordsOf(text)) {
    const read = termOf(word)
    if ('values' in read) terms.push(read)
    else faults.push(read)
  }
  return { terms, faults }
}

const word = /(-?)(?:([A-Za-z][\w.-]*):)?((?:"[^"]*"?|[^\s"]+)*)/y

function* wordsOf(text: string): Generator<Word> {
  for (let at = 0; at < text.length; at++) {
    if (/\s/.test(text[at] ?? '')) continue
    word.lastIndex = at
    const [all = '', minus, field, value = ''] = word.exec(text) ?? []
    if (all === '') continue
    yield {
      at,
      isNegated: minus === '-',
      field,
      value,
      isOpen: value.split('"').length % 2 === 0,
    }
    at += all.length
  }
}

function termOf({ at, isNegated, field, value, isOpen }: Word): Term | QueryFault {
  if (isOpen) return { at, text: 'a quotation mark is not closed' }
  const values = valuesOf(value)
  if (field === undefined) {
    if (values.length === 0) return { at, text: 'a minus needs something to exclude' }
    return { field: 'name', key: '', values, isNegated }
  }
  const [known, key] = fieldOf(field)
  if (known === undefined) {
    return {
      at,
      text: `"${field}" is not a field; use service, tag, status, node or meta.KEY, or put the text in quotation marks`,
    }
  }
  if (known === 'meta' && key === '') return { at, text: 'meta needs a key, as in meta.version:2' }
  if (values.length === 0) return { at, text: `${field}: needs a value` }
  const wrong =
    known === 'status' ? values.find((each) => !isStatus(each.toLowerCase())) : undefined
  if (wrong !== undefined) {
    return { at, text: `"${wrong}" is not a status; use ${statuses.join(', ')}` }
  }
  return { field: known, key, values, isNegated }
}

function isStatus(text: string): text is Status {
  return (statuses as readonly string[]).includes(text)
}

function fieldOf(text: string): readonly [Field | undefined, string] {
  const name = text.toLowerCase()
  if (name === 'meta') return ['meta', '']
  if (name.startsWith('meta.')) return ['meta', text.slice('meta.'.length)]
  if (name === 'service' || name === 'tag' || name === 'status' || name === 'node')
    return [name, '']
  return [undefined, '']
}

/** `a,"b c"` are two values. */
function valuesOf(text: string): readonly string[] {
  const values: string[] = []
  let value = ''
  let isQuoted = false
  for (const char of text) {
    if (char === '"') isQuoted = !isQuoted
    else if (char === ',' && !isQuoted) {
      values.push(value)
      value = ''
    } else value += char
  }
  return [...values, value].filter((each) => each !== '')
}

/** A query in words: "service is web, status is not critical or warning". */
export function describeQuery(terms: readonly Term[]): string {
  return terms.map(describeTerm).join(', ')
}

function describeTerm({ field, key, values, isNegated }: Term): string {
  const what = field === 'meta' ? `meta ${key}` : field
  const verb = field === 'name' ? 'contains' : 'is'
  const not = field === 'name' ? 'does not contain' : 'is not'
  return `${what} ${isNegated ? not : verb} ${values.join(' or ')}`
}

/** A value as it must be written in a query. */
export function quoted(value: string): string {
  return /^[^\s",]+$/.test(value) ? value : `"${value.replaceAll('"', '')}"`
}

/** A query with a term more; the same query if it has the term. */
export function withTerm(text: string, term: string): string {
  const trimmed = text.trim()
  if (trimmed === '') return term
  return ` ${trimmed} `.includes(` ${term} `) ? trimmed : `${trimmed} ${term}`
}

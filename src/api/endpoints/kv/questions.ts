import { svcdError } from '../../../base/errors.ts'
import type { KvEntry, KvReader } from '../../../state/kv/reader.ts'
import { kvSubject } from '../../../state/kv/subjects.ts'
import type { Answer, FlatJson } from '../../../http/answer.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import { parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import type { Question } from '../../../http/renderer.ts'
import { entryRow, rowBytes } from './entry-row.ts'

type KvQuestion = Question<KvReader>

const nothing: Answer = { kind: 'nothing' }

/** What a GET asks. The presence of `keys`, `recurse` and `raw` counts, as in Consul. Throws `missing-name`. */
export function kvQuestion(
  state: FamilyReads<KvReader>,
  key: string,
  parameters: Parameters,
): KvQuestion {
  if (parameters['keys'] !== undefined) return keysBelow(state, key, separatorOf(parameters))
  if (parameters['recurse'] !== undefined) return entriesBelow(state, key)
  if (key === '') throw svcdError('missing-name', { what: 'key name' })
  return parameters['raw'] === undefined ? oneEntry(state, key) : rawValue(state, key)
}

// The second is a mistake of Consul's that clients learned.
function separatorOf(parameters: Parameters): string {
  const given = parameter(parameters, 'separator') ?? ''
  return given === '' ? (parameter(parameters, 'seperator') ?? '') : given
}

function oneEntry(state: FamilyReads<KvReader>, key: string): KvQuestion {
  return {
    state,
    subject: kvSubject.key(key),
    index: (reader) => reader.indexOfKey(key),
    answer: (reader) => {
      const entry = reader.entry(key)
      return entry === undefined ? nothing : { kind: 'list', rows: [rowOf(entry)] }
    },
  }
}

/** What a watch of a key asks: its entry, or null. Throws `missing-name`. */
export function watchedKey(state: FamilyReads<KvReader>, key: string): KvQuestion {
  if (key === '') throw svcdError('missing-name', { what: 'key name' })
  return {
    ...oneEntry(state, key),
    answer: (reader) => {
      const entry = reader.entry(key)
      return { kind: 'value', value: entry === undefined ? null : watchedRow(entry) }
    },
  }
}

/** What a watch of a prefix asks: as a GET with `recurse` or `keys`, and null where that is answered 404. */
export function watchedTree(
  state: FamilyReads<KvReader>,
  prefix: string,
  parameters: Parameters,
): KvQuestion {
  const question =
    parameters['keys'] === undefined
      ? entriesBelow(state, prefix, watchedRow)
      : keysBelow(state, prefix, separatorOf(parameters))
  return {
    ...question,
    answer: (reader, caller) => {
      const answer = question.answer(reader, caller)
      return answer === nothing ? { kind: 'value', value: null } : answer
    },
  }
}

/** Clients store anything: no browser may take a value for a page. */
const rawHeaders = {
  'content-type': 'text/plain',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': 'sandbox',
}

function rawValue(state: FamilyReads<KvReader>, key: string): KvQuestion {
  return {
    ...oneEntry(state, key),
    headers: rawHeaders,
    answer: (reader) => {
      const entry = reader.entry(key)
      return entry === undefined ? nothing : { kind: 'bytes', bytes: entry.value }
    },
  }
}

function entriesBelow(state: FamilyReads<KvReader>, prefix: string, toRow = rowOf): KvQuestion {
  return below(state, prefix, (reader) =>
    unlessEmpty(reader.entries(prefix), (entry) => entryRows(entry, toRow)),
  )
}

function keysBelow(state: FamilyReads<KvReader>, prefix: string, separator: string): KvQuestion {
  return below(state, prefix, (reader) => {
    const keys = reader.keys(prefix, separator)
    const answer = unlessEmpty(keys, (key) => [key])
    // The whole tree is there, even if it is empty.
    return answer === nothing && prefix === '' ? { kind: 'list', rows: [] } : answer
  })
}

function below(
  state: FamilyReads<KvReader>,
  prefix: string,
  answer: (reader: KvReader) => Answer,
): KvQuestion {
  return {
    state,
    subject: kvSubject.tree(prefix),
    index: (reader) => reader.indexOfPrefix(prefix),
    answer,
  }
}

type Row = object | string | undefined

/** The first item decides; the others are read while they are written. */
function unlessEmpty<T>(items: Generator<T, void>, rowsOf: (item: T) => Iterable<Row>): Answer {
  const first = items.next()
  if (first.done === true) return nothing
  const { value } = first
  function* rows(): Generator<Row, void> {
    yield* rowsOf(value)
    for (const item of items) yield* rowsOf(item)
  }
  return { kind: 'list', rows: rows() }
}

/** A large value counts as many rows, so that others get their turn after a few of them. */
function* entryRows(entry: KvEntry, toRow: typeof rowOf): Generator<Row, void> {
  yield toRow(entry)
  for (let bytes = rowBytes; bytes < entry.value.length; bytes += rowBytes) yield undefined
}

/** As Consul's watches have it: with a session, even if there is none. */
function watchedRow(entry: KvEntry): FlatJson {
  return rowOf(entry, true)
}

function rowOf(entry: KvEntry, hasSession = entry.session !== ''): FlatJson {
  const { buffer, byteOffset, length } = entry.value
  const value = Buffer.from(buffer, byteOffset, length).toString('base64')
  return entryRow({ ...entry, value }, hasSession)
}

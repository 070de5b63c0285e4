import { svcdError } from '../../../base/errors.ts'
import type { KvEntry, KvReader } from '../../../state/kv/reader.ts'
import { kvSubject } from '../../../state/kv/subjects.ts'
import type { Answer, FlatJson } from '../../http/answer.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import { parameter } from '../../http/parameters.ts'
import type { Parameters } from '../../http/parameters.ts'
import type { Question } from '../../http/renderer.ts'
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

function entriesBelow(state: FamilyReads<KvReader>, prefix: string): KvQuestion {
  return below(state, prefix, (reader) => unlessEmpty(reader.entries(prefix), entryRows))
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
function* entryRows(entry: KvEntry): Generator<Row, void> {
  yield rowOf(entry)
  for (let bytes = rowBytes; bytes < entry.value.length; bytes += rowBytes) yield undefined
}

function rowOf(entry: KvEntry): FlatJson {
  const { buffer, byteOffset, length } = entry.value
  return entryRow({ ...entry, value: Buffer.from(buffer, byteOffset, length).toString('base64') })
}

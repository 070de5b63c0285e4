import type { Viewer } from '../../../access/viewer.ts'
import { svcdError } from '../../../base/errors.ts'
import type { KvEntry, KvReader } from '../../../state/kv/reader.ts'
import { kvSubject } from '../../../state/kv/subjects.ts'
import type { Answer, FlatJson } from '../../../http/answer.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import { parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import type { About, Question } from '../../../http/renderer.ts'
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
    needs: { resource: 'key', name: key, access: 'read' },
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
  const { about } = question
  return {
    ...question,
    about: { ...about, missing: orNull(about.missing) },
    answer: (reader, viewer) => orNull(question.answer(reader, viewer)),
  }
}

function orNull(answer: Answer): Answer {
  return answer === nothing ? { kind: 'value', value: null } : answer
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

function entriesBelow(state: FamilyReads<KvReader>, prefix: string, toRow = rowOf): TreeQuestion {
  return below(state, prefix, nothing, (reader, viewer) =>
    unlessEmpty(
      seen(reader.entries(prefix), ({ key }) => key, viewer),
      (entry) => entryRows(entry, toRow),
    ),
  )
}

function keysBelow(state: FamilyReads<KvReader>, prefix: string, separator: string): TreeQuestion {
  // The whole tree is there, even if it is empty.
  const missing: Answer = prefix === '' ? { kind: 'list', rows: [] } : nothing
  return below(state, prefix, missing, (reader, viewer) => {
    const answer = unlessEmpty(keysFor(viewer, reader, prefix, separator), (key) => [key])
    return answer === nothing ? missing : answer
  })
}

/** Cut after they were looked at: the beginning of a hidden key is hidden, too. */
function keysFor(
  viewer: Viewer,
  reader: KvReader,
  prefix: string,
  separator: string,
): Generator<string | undefined, void> {
  if (viewer.caller.rights.allowsAll('key', 'read')) return reader.keys(prefix, separator)
  const whole = seen(reader.keys(prefix), (key) => key, viewer)
  return separator === '' ? whole : cutKeys(whole, prefix, separator)
}

/** As {@link KvReader.keys} cuts them. */
function* cutKeys(
  keys: Iterable<string | undefined>,
  prefix: string,
  separator: string,
): Generator<string | undefined, void> {
  let last: string | undefined
  for (const key of keys) {
    if (key === undefined) {
      yield undefined
      continue
    }
    const at = key.indexOf(separator, prefix.length)
    const shown = at < 0 ? key : key.slice(0, at + separator.length)
    yield shown === last ? undefined : shown
    last = shown
  }
}

/** About all keys that begin with a prefix. */
type TreeQuestion = KvQuestion & { readonly about: About }

/** `missing`: the answer where the caller may not read any key that begins with the prefix, as if there were none. */
function below(
  state: FamilyReads<KvReader>,
  prefix: string,
  missing: Answer,
  answer: KvQuestion['answer'],
): TreeQuestion {
  return {
    state,
    subject: kvSubject.tree(prefix),
    about: { resource: 'key', name: prefix, isPrefix: true, missing },
    index: (reader) => reader.indexOfPrefix(prefix),
    answer,
  }
}

type Row = object | string | undefined

/** The items that the viewer sees; undefined for the others, so that a long read can pause between them. */
function* seen<T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  viewer: Viewer,
): Generator<T | undefined, void> {
  for (const item of items) yield viewer.sees('key', keyOf(item)) ? item : undefined
}

/** How many items are looked at without a pause for one that is seen. */
const hiddenMax = 10_000

/**
 * The first item that is seen decides; the others are read while they are written. If it does not come soon, the
 * answer is a list, which may be empty.
 */
function unlessEmpty<T extends object | string>(
  items: Generator<T | undefined, void>,
  rowsOf: (item: T) => Iterable<Row>,
): Answer {
  let value: T | undefined
  for (let looked = 0; value === undefined && looked < hiddenMax; looked++) {
    const next = items.next()
    if (next.done === true) return nothing
    value = next.value ?? undefined
  }
  const first = value
  function* rows(): Generator<Row, void> {
    if (first !== undefined) yield* rowsOf(first)
    for (const item of items) {
      if (item === undefined) yield undefined
      else yield* rowsOf(item)
    }
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

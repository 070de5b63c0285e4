import type { CatalogReader } from '../../../state/catalog/query.ts'
import type { FamilyReads } from '../../../ports/reads.ts'

type State = Pick<FamilyReads<CatalogReader>, 'unchanged'>
type Unchanged = (since: number) => boolean

/** The list that rows are kept of. */
export interface KeptList {
  /** Moves when a row is added or removed. */
  readonly subject: string
  /** The keys of the rows, in their order. */
  keys(catalog: CatalogReader): Iterable<string>
  /** Moves when the row of a key may be another one. */
  subjectOf(key: string): string
  /** Undefined: the list does not have this row. */
  make(catalog: CatalogReader, key: string): Generator<undefined, object | undefined>
}

interface KeptRow {
  readonly key: string
  readonly subject: string
  readonly unchanged: Unchanged
  /** The version of the state before the row was last found to be current; undefined: not known. */
  since: number | undefined
  index: number
  row: object | undefined
}

/** Keys that are read in one step. */
const keysPerStep = 200

/**
 * The rows of a list by the subjects that they depend on, so that a change of one service or node does not read all
 * others again. Only for readers with the same rights, because rows are the same for all of them.
 */
export class KeptRows {
  readonly #state: State
  readonly #list: KeptList
  readonly #unchanged: Unchanged
  #rows: readonly KeptRow[] = []
  #since: number | undefined

  constructor(state: State, list: KeptList) {
    this.#state = state
    this.#list = list
    this.#unchanged = state.unchanged(list.subject)
  }

  /** All rows now. `since`: the version of the state, taken before the read began; without it SQLite is asked. */
  *read(catalog: CatalogReader, since?: number): Generator<object | undefined, void> {
    const rows = yield* this.#current(catalog, since)
    for (const kept of rows) {
      if (since !== undefined && kept.since !== undefined && kept.unchanged(kept.since)) continue
      const index = catalog.indexOf(kept.subject)
      if (kept.index !== index) {
        kept.row = yield* this.#list.make(catalog, kept.key)
        kept.index = index
      }
      kept.since = since
    }
    for (const { row } of rows) if (row !== undefined) yield row
  }

  /** A row for each key that there is; new rows are not made yet. */
  *#current(
    catalog: CatalogReader,
    since: number | undefined,
  ): Generator<undefined, readonly KeptRow[]> {
    const known = this.#since
    if (since !== undefined && known !== undefined && this.#unchanged(known)) return this.#rows
    const byKey = new Map(this.#rows.map((kept) => [kept.key, kept]))
    const rows: KeptRow[] = []
    for (const key of this.#list.keys(catalog)) {
      rows.push(byKey.get(key) ?? this.#unmade(key))
      if (rows.length % keysPerStep === 0) yield undefined
    }
    this.#rows = rows
    this.#since = since
    return rows
  }

  #unmade(key: string): KeptRow {
    const subject = this.#list.subjectOf(key)
    const unchanged = this.#state.unchanged(subject)
    return { key, subject, unchanged, since: undefined, index: -1, row: undefined }
  }
}

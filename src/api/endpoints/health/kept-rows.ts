import type { CatalogReader } from '../../../state/catalog/query.ts'
import { subject } from '../../../state/catalog/subjects.ts'

interface KeptRow {
  readonly index: number
  readonly row: object | undefined
}

/**
 * The rows of a summary by the index of their service, so that a change of one service does not read all others
 * again. Only for readers who may see everything, because rows are the same for all of them.
 */
export class KeptRows {
  readonly #rows = new Map<string, KeptRow>()

  /** Forgets services that are gone. */
  keepOnly(keys: ReadonlySet<string>): void {
    if (this.#rows.size === keys.size) return
    for (const key of this.#rows.keys()) if (!keys.has(key)) this.#rows.delete(key)
  }

  /** The row of a service, as it was made when the service changed last. */
  *of(
    catalog: CatalogReader,
    key: string,
    make: () => Generator<undefined, object | undefined>,
  ): Generator<undefined, object | undefined> {
    const index = catalog.indexOf(subject.service(key))
    const known = this.#rows.get(key)
    if (known?.index === index) return known.row
    const row = yield* make()
    this.#rows.set(key, { index, row })
    return row
  }
}

const all = new WeakMap<object, KeptRows>()

/** Those of one catalog. `state`: how it is read. */
export function keptRowsOf(state: object): KeptRows {
  const known = all.get(state) ?? new KeptRows()
  all.set(state, known)
  return known
}

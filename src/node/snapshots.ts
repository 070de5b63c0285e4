import type { Versions } from '../catalog/versions.ts'
import type { Snapshot } from '../dns/recording-view.ts'
import type { StateReader } from '../storage/state.ts'
import { CatalogView } from './catalog-view.ts'

/**
 * Snapshots for DNS answers: one read transaction for all the questions of one turn of the event
 * loop. It is opened at the first miss (a look-up costs a tenth inside one) and closed when the
 * turn ends, for an open one keeps the WAL from ever being checkpointed.
 */
export class Snapshots {
  readonly #reader: StateReader
  readonly #versions: Versions
  readonly #view: CatalogView
  #current: Snapshot | undefined

  constructor(reader: StateReader, versions: Versions, options: { readonly onlyPassing: boolean }) {
    this.#reader = reader
    this.#versions = versions
    this.#view = new CatalogView(reader.catalog, options)
  }

  open(): Snapshot {
    if (this.#current !== undefined) return this.#current
    // Loaded before the transaction begins: a change in between voids the answer, never the reverse.
    const { generation, applied } = this.#versions
    this.#reader.begin()
    setImmediate(() => this.#close())
    this.#current = { view: this.#view, generation, applied }
    return this.#current
  }

  #close(): void {
    this.#current = undefined
    this.#reader.end()
  }
}

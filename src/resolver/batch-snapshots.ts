import type { Caller } from '../access/caller.ts'
import type { FamilyVersions } from '../state/machine/versions.ts'
import { queryFamily } from '../state/query/family.ts'
import { sessionFamily } from '../state/session/family.ts'
import type { OtherFamily, Snapshot } from '../dns/recording-view.ts'
import type { StateReader } from '../storage/state.ts'
import { CatalogView } from './catalog-view.ts'
import type { CatalogViewOptions } from './catalog-view.ts'

/** The versions of the families that DNS answers are made from. */
export interface DnsVersions {
  readonly catalog: FamilyVersions
  readonly others: Readonly<Record<OtherFamily, FamilyVersions>>
}

/**
 * Snapshots for DNS answers: one read transaction for all the questions of a batch, as long as
 * nothing is applied during it. It is opened at the first miss (a look-up costs a tenth inside
 * one). The caller must close it when the batch ends, because an open one prevents checkpoints of
 * the WAL.
 */
export class Snapshots {
  readonly #reader: StateReader
  readonly #versions: DnsVersions
  readonly #view: CatalogView
  #current: Snapshot | undefined

  constructor(reader: StateReader, versions: DnsVersions, options: CatalogViewOptions) {
    this.#reader = reader
    this.#versions = versions
    this.#view = new CatalogView(
      {
        catalog: reader.catalog,
        sessions: reader.of(sessionFamily),
        queries: reader.of(queryFamily),
      },
      options,
    )
  }

  /** Whose answers are made from now on. */
  set caller(caller: Caller) {
    this.#view.caller = caller
  }

  get isOpen(): boolean {
    return this.#current !== undefined
  }

  open(): Snapshot {
    // Loaded before the transaction begins: a change in between voids the answer, never the reverse.
    const { catalog, others } = this.#versions
    const { generation, applied } = catalog
    const [kv, query] = [others.kv.applied, others.query.applied]
    const current = this.#current
    const isCurrent =
      current?.applied === applied &&
      current.generation === generation &&
      current.others.kv === kv &&
      current.others.query === query
    if (isCurrent) return current
    // A question may have come after a write that came after the batch's first.
    this.close()
    this.#reader.begin()
    this.#current = { view: this.#view, generation, applied, others: { kv, query } }
    return this.#current
  }

  /** Does nothing if none is open. */
  close(): void {
    if (this.#current === undefined) return
    this.#current = undefined
    this.#reader.end()
  }
}

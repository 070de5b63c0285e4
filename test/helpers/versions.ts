import type { OtherFamily } from '../../src/dns/recording-view.ts'
import { openVersions } from '../../src/state/families.ts'
import type { FamilyVersions, Versions } from '../../src/state/machine/versions.ts'

type OtherVersions = Readonly<Record<OtherFamily, FamilyVersions>>

/** The families besides the catalog that DNS answers are made from. */
export function othersOf(versions: Versions): OtherVersions {
  return { kv: versions.of('kv'), query: versions.of('query') }
}

/** How far they are applied, as a snapshot notes it. */
export function appliedOf({ kv, query }: OtherVersions): Readonly<Record<OtherFamily, number>> {
  return { kv: kv.applied, query: query.applied }
}

/** Versions of all families, of which a test reads and bumps those of the catalog. */
export class CatalogVersions {
  readonly all: Versions
  readonly catalog: FamilyVersions
  /** Those of the other families that DNS answers are made from. */
  readonly others: OtherVersions

  constructor(buffer?: SharedArrayBuffer) {
    this.all = openVersions(buffer)
    this.catalog = this.all.of('catalog')
    this.others = othersOf(this.all)
  }

  get generation(): number {
    return this.all.generation
  }

  get index(): number {
    return this.all.index
  }

  set index(index: number) {
    this.all.index = index
  }

  get applied(): number {
    return this.catalog.applied
  }

  slotOf(subject: string): number {
    return this.catalog.slotOf(subject)
  }

  holds(slot: number, since: number): boolean {
    return this.catalog.holds(slot, since)
  }

  bump(subjects: Iterable<string>): void {
    this.all.bump(new Map([['catalog', subjects]]))
  }

  bumpKv(subjects: Iterable<string>): void {
    this.all.bump(new Map([['kv', subjects]]))
  }

  /** Bumps those of the prepared queries. */
  bumpQueries(subjects: Iterable<string>): void {
    this.all.bump(new Map([['query', subjects]]))
  }

  bumpGeneration(): void {
    this.all.bumpGeneration()
  }
}

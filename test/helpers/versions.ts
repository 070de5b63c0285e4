import { openVersions } from '../../src/state/families.ts'
import type { FamilyVersions, Versions } from '../../src/state/machine/versions.ts'

/** Versions of all families, of which a test reads and bumps those of the catalog. */
export class CatalogVersions {
  readonly all: Versions
  readonly catalog: FamilyVersions
  readonly kv: FamilyVersions

  constructor(buffer?: SharedArrayBuffer) {
    this.all = openVersions(buffer)
    this.catalog = this.all.of('catalog')
    this.kv = this.all.of('kv')
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

  bumpGeneration(): void {
    this.all.bumpGeneration()
  }
}

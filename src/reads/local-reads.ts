import { svcdError } from '../base/errors.ts'
import type { Families, FamilyReads } from '../ports/reads.ts'
import type { ReadableFamily } from '../state/machine/family.ts'
import type { Versions } from '../state/machine/versions.ts'
import type { StateReader } from '../storage/state.ts'
import type { ChangeWaiters } from './change-waiters.ts'
import type { SlicedReads } from './sliced-reads.ts'

export interface LocalReadsParts {
  readonly state: StateReader
  readonly sliced: SlicedReads
  readonly versions: Versions
  readonly waiters: ChangeWaiters
  /** The damage of the state, if any is known. */
  readonly damage: () => string | undefined
}

/** This server's own copy of the state, by family. Reads of a damaged one throw `state-damaged`. */
export class LocalReads implements Families {
  readonly #parts: LocalReadsParts
  readonly #families = new Map<string, FamilyReads<unknown>>()

  constructor(parts: LocalReadsParts) {
    this.#parts = parts
  }

  of<R>(family: ReadableFamily<R>): FamilyReads<R> {
    const known = this.#families.get(family.name) as FamilyReads<R> | undefined
    if (known !== undefined) return known
    const reads = this.#readsOf(family)
    this.#families.set(family.name, reads)
    return reads
  }

  #readsOf<R>(family: ReadableFamily<R>): FamilyReads<R> {
    const { state, sliced, waiters } = this.#parts
    const { name } = family
    const versions = this.#parts.versions.of(name)
    const reader = state.of(family)
    return {
      read: (query) => {
        this.#refuseDamaged()
        return state.read(() => query(reader))
      },
      readSliced: (steps) => {
        this.#refuseDamaged()
        return sliced.run(family, steps)
      },
      version: () => versions.applied,
      unchanged: (subject) => {
        const slot = versions.slotOf(subject)
        return (since) => versions.holds(slot, since)
      },
      waitForChange: (subject, since, timeoutMs) => waiters.wait(name, subject, since, timeoutMs),
    }
  }

  #refuseDamaged(): void {
    const reason = this.#parts.damage()
    // Unlike others that are out of service, not even as stale.
    if (reason !== undefined) throw svcdError('state-damaged', { reason })
  }
}

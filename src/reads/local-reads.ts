import { svcdError } from '../base/errors.ts'
import type { Reads } from '../ports/reads.ts'
import type { Waits } from '../ports/waits.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
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

/** This server's own copy of the state. Reads of a damaged one throw `state-damaged`. */
export function localReads({
  state,
  sliced,
  versions,
  waiters,
  damage,
}: LocalReadsParts): Reads<CatalogReader> & Waits {
  function refuseDamaged(): void {
    const reason = damage()
    // Unlike others that are out of service, not even as stale.
    if (reason !== undefined) throw svcdError('state-damaged', { reason })
  }
  return {
    read: (query) => {
      refuseDamaged()
      return state.read(query)
    },
    readSliced: (steps) => {
      refuseDamaged()
      return sliced.run(steps)
    },
    version: () => versions.applied,
    waitForChange: (subject, since, timeoutMs) => waiters.wait(subject, since, timeoutMs),
  }
}

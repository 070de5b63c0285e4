import { judge } from '../../health/judge.ts'
import type { HealthCounts } from '../../ports/history.ts'
import type { CatalogReader } from '../../state/catalog/query.ts'
import { subject } from '../../state/catalog/subjects.ts'

/** With more services than this, looking at them would cost too much. */
export const servicesMax = 20_000
/** So many instances may be looked at without a pause. */
const instancesPerStep = 100

export type OnService = (key: string, counts: HealthCounts) => void

/**
 * Reads the health of each service that changed since the last walk, by the same verdicts as DNS and the API. Its
 * memory is an index per service.
 */
export class CatalogWalk {
  #indexes = new Map<string, number>();

  /** Calls `onService` for each changed service. Returns the keys of all; undefined: there are too many. */
  *walk(
    catalog: CatalogReader,
    onService: OnService,
  ): Generator<void, ReadonlySet<string> | undefined> {
    const indexes = new Map<string, number>()
    for (const key of catalog.pages.serviceKeys()) {
      if (indexes.size >= servicesMax) return undefined
      const index = catalog.indexOf(subject.service(key))
      indexes.set(key, index)
      if (this.#indexes.get(key) !== index) onService(key, yield* countsOf(catalog, key))
      yield
    }
    this.#indexes = indexes
    return new Set(indexes.keys())
  }
}

function* countsOf(catalog: CatalogReader, key: string): Generator<void, HealthCounts> {
  const counts = { passing: 0, warning: 0, critical: 0, maintenance: 0 }
  for (const [at, candidate] of catalog.candidates(key).entries()) {
    counts[judge(candidate, { onlyPassing: false }).status]++
    if ((at + 1) % instancesPerStep === 0) yield
  }
  return counts
}

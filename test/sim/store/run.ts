import type { SimResult } from '../run.ts'
import { runWorld } from '../run.ts'
import { World } from '../world.ts'
import type { StoreMutant } from './mutants.ts'
import { Store, storeOptionsOf } from './store.ts'

/** A seed whose clients use the store of the product. */
export function runStore(
  seed: number,
  extra: { mutant?: StoreMutant | undefined; isTracing?: boolean } = {},
): Promise<SimResult> {
  const options = storeOptionsOf(seed)
  const workload = new Store(options, extra.mutant?.defect)
  return runWorld(new World(options, { ...extra, workload }))
}

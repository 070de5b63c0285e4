import t from 'tap'
import { mutantSeeds } from './mutant-seeds.ts'
import { mutants } from './mutants.ts'
import type { Mutant } from './node.ts'
import { runSeed } from './run.ts'
import type { SimResult } from './run.ts'
import { seedsForMutant } from './seeds.ts'

t.setTimeout(900_000)

t.test('there are at least 50 mutants, each with its own name', async (t) => {
  t.ok(mutants.length >= 50)
  t.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length)
})

for (const mutant of mutants) {
  t.test(`the simulator catches ${mutant.name} (${mutant.about})`, async (t) => {
    const { seed, result } = await firstCaught(mutant)
    t.ok(result.failure, `caught within ${seedsForMutant} seeds`)
    t.comment(`${mutant.name}: seed ${seed}: ${result.failure?.kind}: ${result.failure?.claim}`)
    const again = await runSeed(seed, { mutant })
    t.equal(again.events, result.events, 'and at the same event again')
    t.same(again.failure, result.failure)
    const without = await runSeed(seed)
    t.equal(without.failure, undefined, 'which is found in the mutant alone')
  })
}

/** The seed that caught it last is tried first: most often it still does. */
async function firstCaught(mutant: Mutant): Promise<{ seed: number; result: SimResult }> {
  let seed = mutantSeeds[mutant.name] ?? 1
  let result = await runSeed(seed, { mutant })
  if (result.failure !== undefined) return { seed, result }
  seed = 0
  while (result.failure === undefined && seed < seedsForMutant) {
    result = await runSeed(++seed, { mutant })
  }
  return { seed, result }
}

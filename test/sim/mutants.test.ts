import t from 'tap'
import { mutants } from './mutants.ts'
import { runSeed } from './run.ts'
import { seedsInCi } from './seeds.ts'

t.setTimeout(900_000)

t.test('there are at least 15 mutants, each with its own name', async (t) => {
  t.ok(mutants.length >= 15)
  t.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length)
})

for (const mutant of mutants) {
  t.test(`the simulator catches ${mutant.name} (${mutant.about})`, async (t) => {
    let seed = 1
    let result = await runSeed(seed, { mutant })
    while (result.failure === undefined && seed < seedsInCi)
      result = await runSeed(++seed, { mutant })
    t.ok(result.failure, `caught within ${seedsInCi} seeds`)
    t.comment(`${mutant.name}: seed ${seed}: ${result.failure?.kind}: ${result.failure?.claim}`)
    const again = await runSeed(seed, { mutant })
    t.equal(again.events, result.events, 'and at the same event again')
    t.same(again.failure, result.failure)
  })
}

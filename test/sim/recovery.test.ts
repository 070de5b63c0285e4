import t from 'tap'
import { epoch } from './mutants/epoch.ts'
import { runRecovery } from './recovery.ts'

t.setTimeout(300_000)

const seeds = 100

t.test(`${seeds} recoveries leave nobody who goes on in the old epoch`, async (t) => {
  const failures: string[] = []
  let wroteOn = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const { failure, acknowledgedBefore } = await runRecovery(seed)
    if (failure !== undefined) failures.push(`seed ${seed}: ${failure}`)
    if (acknowledgedBefore > 0) wroteOn++
  }
  t.same(failures, [])
  t.ok(wroteOn > seeds / 5, `in ${wroteOn} of them the old epoch wrote on before it heard of it`)
})

for (const mutant of epoch) {
  t.test(`a recovery catches ${mutant.name} (${mutant.about})`, async (t) => {
    let failure: string | undefined
    let seed = 0
    while (failure === undefined && seed < seeds) {
      failure = (await runRecovery(++seed, { mutant })).failure
    }
    t.ok(failure, `caught within ${seeds} seeds`)
    t.comment(`${mutant.name}: seed ${seed}: ${failure}`)
  })
}

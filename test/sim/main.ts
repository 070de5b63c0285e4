import { describeOptions, faultClasses } from './options.ts'
import type { FaultClass } from './options.ts'
import { mutants } from './mutants.ts'
import type { Mutant } from './node.ts'
import { runSeed } from './run.ts'
import type { SimResult } from './run.ts'
import { storeMutants } from './store/mutants.ts'
import { runStore } from './store/run.ts'

/** Whose clients use registers, or the store. */
type Run = (
  seed: number,
  extra?: { mutant?: Mutant | undefined; isTracing?: boolean },
) => Promise<SimResult>

/**
 * `npm run sim -- --seeds N [--from M]` runs many seeds; `npm run sim -- SEED` replays one, traced;
 * `npm run sim -- --seeds N --mutant NAME` tells which of them catches a mutant first. With `store` as the
 * first word, clients use the key/value store.
 */
async function main(all: readonly string[]): Promise<number> {
  const isStore = all[0] === 'store'
  const run: Run = isStore ? runStore : runSeed
  const words = isStore ? all.slice(1) : all
  const option = (name: string) => {
    const at = words.indexOf(name)
    return at === -1 ? undefined : Number(words[at + 1])
  }
  const seeds = option('--seeds')
  const known: readonly Mutant[] = isStore ? storeMutants : mutants
  const mutant = known.find(({ name }) => words.includes(name))
  if (seeds !== undefined && mutant !== undefined)
    return hunt(run, mutant, option('--from') ?? 1, seeds)
  if (seeds !== undefined) return runMany(run, option('--from') ?? 1, seeds)
  const seed = Number(words[0])
  if (Number.isSafeInteger(seed) && words.length === 1) return replay(run, seed)
  console.error('usage: npm run sim -- [store] SEED | --seeds COUNT [--from FIRST] [--mutant NAME]')
  return 2
}

async function replay(run: Run, seed: number): Promise<number> {
  const result = await run(seed, { isTracing: true })
  for (const line of result.lines) console.log(line)
  console.log(outcome(result))
  return result.failure === undefined ? 0 : 1
}

async function hunt(run: Run, mutant: Mutant, first: number, count: number): Promise<number> {
  for (let seed = first; seed < first + count; seed++) {
    const { failure } = await run(seed, { mutant })
    if (failure === undefined) continue
    console.log(`${mutant.name}: seed ${seed}: ${failure.kind}: ${failure.claim}`)
    return 0
  }
  console.log(`${mutant.name} survives ${count} seeds`)
  return 1
}

async function runMany(run: Run, first: number, count: number): Promise<number> {
  const struck = new Map<FaultClass, number>()
  const totals = { violations: 0, liveness: 0, events: 0, operations: 0, virtualMs: 0 }
  const started = process.hrtime.bigint()
  for (let seed = first; seed < first + count; seed++) {
    const result = await run(seed)
    console.log(outcome(result))
    if (result.failure?.kind === 'violation') totals.violations++
    if (result.failure?.kind === 'liveness') totals.liveness++
    totals.events += result.events
    totals.operations += result.operations
    totals.virtualMs += result.atMs
    for (const fault of result.options.faults) struck.set(fault, (struck.get(fault) ?? 0) + 1)
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  console.log(`\nseeds in which each fault was switched on, of ${count}:`)
  for (const fault of faultClasses) console.log(`  ${fault.padEnd(14)} ${struck.get(fault) ?? 0}`)
  console.log(
    `${count} seeds, ${totals.violations} violations, ${totals.liveness} liveness failures; ` +
      `${totals.events} events, ${totals.operations} operations, ` +
      `${(totals.virtualMs / 3_600_000).toFixed(1)} virtual hours in ${seconds.toFixed(1)} s`,
  )
  return totals.violations + totals.liveness === 0 ? 0 : 1
}

function outcome({
  options,
  failure,
  atMs,
  events,
  operations,
  entries,
  terms,
}: SimResult): string {
  const end = `${events} events, ${operations} operations, ${entries} entries, ${terms} leaders`
  const verdict =
    failure === undefined
      ? 'ok'
      : `${failure.kind.toUpperCase()} at ${atMs.toFixed(3)} ms: ${failure.claim}`
  return `${describeOptions(options)}\n  ${verdict}; ${end}`
}

process.exitCode = await main(process.argv.slice(2))

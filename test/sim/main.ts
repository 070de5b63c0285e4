import { describeOptions, faultClasses } from './options.ts'
import type { FaultClass } from './options.ts'
import { mutants } from './mutants.ts'
import type { Mutant } from './node.ts'
import { runSeed } from './run.ts'
import type { SimResult } from './run.ts'

/**
 * `npm run sim -- --seeds N [--from M]` runs many seeds; `npm run sim -- SEED` replays one, traced;
 * `npm run sim -- --seeds N --mutant NAME` tells which of them catches a mutant first.
 */
async function main(words: readonly string[]): Promise<number> {
  const option = (name: string) => {
    const at = words.indexOf(name)
    return at === -1 ? undefined : Number(words[at + 1])
  }
  const seeds = option('--seeds')
  const mutant = mutants.find(({ name }) => words.includes(name))
  if (seeds !== undefined && mutant !== undefined) return hunt(mutant, option('--from') ?? 1, seeds)
  if (seeds !== undefined) return runMany(option('--from') ?? 1, seeds)
  const seed = Number(words[0])
  if (Number.isSafeInteger(seed) && words.length === 1) return replay(seed)
  console.error('usage: npm run sim -- SEED | --seeds COUNT [--from FIRST] [--mutant NAME]')
  return 2
}

async function replay(seed: number): Promise<number> {
  const result = await runSeed(seed, { isTracing: true })
  for (const line of result.lines) console.log(line)
  console.log(outcome(result))
  return result.failure === undefined ? 0 : 1
}

async function hunt(mutant: Mutant, first: number, count: number): Promise<number> {
  for (let seed = first; seed < first + count; seed++) {
    const { failure } = await runSeed(seed, { mutant })
    if (failure === undefined) continue
    console.log(`${mutant.name}: seed ${seed}: ${failure.kind}: ${failure.claim}`)
    return 0
  }
  console.log(`${mutant.name} survives ${count} seeds`)
  return 1
}

async function runMany(first: number, count: number): Promise<number> {
  const struck = new Map<FaultClass, number>()
  const totals = { violations: 0, liveness: 0, events: 0, operations: 0, virtualMs: 0 }
  const started = process.hrtime.bigint()
  for (let seed = first; seed < first + count; seed++) {
    const result = await runSeed(seed)
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

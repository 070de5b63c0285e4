import t from 'tap'
import { registerModel } from './history.ts'
import type { Op, Operation } from './history.ts'
import { checkHistory } from './linearizability.ts'
import { faultClasses, optionsOf } from './options.ts'
import type { FaultClass } from './options.ts'
import { runSeed } from './run.ts'
import { onceFailed, seedsTried } from './seeds.ts'

t.setTimeout(Math.max(900_000, seedsTried * 1000))

t.test(`${seedsTried} seeds end without a violation and with a live cluster`, async (t) => {
  const struck = new Map<FaultClass | 'burst', number>()
  const failures: string[] = []
  let operations = 0
  for (let seed = 1; seed <= seedsTried; seed++) {
    const result = await runSeed(seed)
    operations += result.operations
    for (const [fault, count] of result.struck) struck.set(fault, (struck.get(fault) ?? 0) + count)
    if (result.failure !== undefined) failures.push(`seed ${seed}: ${result.failure.claim}`)
  }
  t.same(failures, [], 'replay one with: npm run sim -- SEED')
  t.comment(`${operations} operations of clients`)
  for (const [fault, count] of struck) t.comment(`${fault} struck ${count} times`)
})

t.test('the seeds switch on every class of fault, and leave it off as well', async (t) => {
  const on = new Map<FaultClass, number>(faultClasses.map((fault) => [fault, 0]))
  for (let seed = 1; seed <= seedsTried; seed++) {
    for (const fault of optionsOf(seed).faults) on.set(fault, (on.get(fault) ?? 0) + 1)
  }
  for (const [fault, count] of on) {
    t.ok(count > seedsTried / 5 && count < (seedsTried * 4) / 5, `${fault}: ${count} seeds`)
  }
})

for (const [seed, about] of onceFailed) {
  t.test(`seed ${seed}, which failed once, ends well (${about})`, async (t) => {
    t.equal((await runSeed(seed)).failure, undefined)
  })
}

t.test('a seed replays byte for byte', async (t) => {
  for (const seed of [2, 3]) {
    const one = await runSeed(seed, { isTracing: true })
    const two = await runSeed(seed, { isTracing: true })
    t.ok(one.lines.length > 1000)
    t.equal(one.lines.join('\n'), two.lines.join('\n'))
    t.equal((await runSeed(seed)).events, one.events, 'tracing changes nothing')
  }
})

// Client, operation, times of call and return, result.
type Row = [number, Op, number, number, number | boolean | undefined]

function history(rows: readonly Row[]): Operation[] {
  return rows.map(([client, op, invokedMs, returnedMs, result], at) => {
    return { client, command: String(at), key: 'k', op, invokedMs, returnedMs, result }
  })
}

const read: Op = { kind: 'read' }
const append = (value: number): Op => ({ kind: 'append', value })
const swap = (expected: number, value: number): Op => ({ kind: 'swap', expected, value })

const histories: [string, 'linearizable' | 'violation', Row[]][] = [
  ['an empty history', 'linearizable', []],
  [
    'a read of what was written before',
    'linearizable',
    [
      [1, append(5), 0, 1, 5],
      [2, read, 2, 3, 5],
    ],
  ],
  [
    'a stale read',
    'violation',
    [
      [1, append(5), 0, 1, 5],
      [2, read, 2, 3, 0],
    ],
  ],
  [
    'a read beside a write sees either',
    'linearizable',
    [
      [1, append(5), 0, 9, 5],
      [2, read, 2, 3, 0],
    ],
  ],
  [
    'two reads that disagree about the order',
    'violation',
    [
      [1, append(5), 0, 9, 5],
      [2, read, 1, 2, 5],
      [3, read, 3, 4, 0],
    ],
  ],
  [
    'a write without an answer may show late',
    'linearizable',
    [
      [1, append(5), 0, Infinity, undefined],
      [2, read, 1, 2, 0],
      [2, read, 3, 4, 5],
    ],
  ],
  [
    'a write without an answer does not show and vanish',
    'violation',
    [
      [1, append(5), 0, Infinity, undefined],
      [2, read, 1, 2, 5],
      [2, read, 3, 4, 0],
    ],
  ],
  [
    'a write that was applied twice',
    'violation',
    [
      [1, append(5), 0, 1, 5],
      [2, read, 2, 3, 5 * 31 + 5],
    ],
  ],
  [
    'two swaps from the same value',
    'violation',
    [
      [1, swap(0, 1), 0, 9, true],
      [2, swap(0, 2), 0, 9, true],
    ],
  ],
  [
    'one of two swaps',
    'linearizable',
    [
      [1, swap(0, 1), 0, 9, true],
      [2, swap(0, 2), 0, 9, false],
    ],
  ],
]

for (const [name, verdict, rows] of histories) {
  t.test(`the checker judges ${name}: ${verdict}`, async (t) => {
    t.equal(checkHistory(history(rows), registerModel), verdict)
  })
}

t.test('the checker gives up rather than guess', async (t) => {
  const rows = Array.from({ length: 12 }, (_, at): Row => [at, append(at + 1), 0, 9, at + 1])
  t.equal(checkHistory(history(rows), registerModel, 100), 'unknown')
})

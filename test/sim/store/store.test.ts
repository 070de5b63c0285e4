import t from 'tap'
import { checkKey } from './history.ts'
import type { KeyOperation } from './history.ts'
import { storeMutants } from './mutants.ts'
import type { StoreMutant } from './mutants.ts'
import { runStore } from './run.ts'
import { storeMutantSeeds, storeSeedsInCi } from './seeds.ts'
import type { Stored } from './twin.ts'

const seedsMax = Number(process.env['SVCD_STORE_SEEDS'] ?? storeSeedsInCi)

t.setTimeout(4_000_000)

t.test(`${seedsMax} seeds of the store end without a violation`, async (t) => {
  const failures: string[] = []
  let operations = 0
  for (let seed = 1; seed <= seedsMax; seed++) {
    const result = await runStore(seed)
    operations += result.operations
    if (result.failure !== undefined) failures.push(`seed ${seed}: ${result.failure.claim}`)
  }
  t.same(failures, [], 'replay one with: npm run sim -- store SEED')
  t.comment(`${operations} operations of clients`)
})

t.test('a seed of the store replays byte for byte', async (t) => {
  const one = await runStore(2, { isTracing: true })
  const two = await runStore(2, { isTracing: true })
  t.ok(one.lines.length > 1000)
  t.equal(one.lines.join('\n'), two.lines.join('\n'))
})

for (const mutant of storeMutants) {
  t.test(`the simulator catches ${mutant.name} (${mutant.about})`, async (t) => {
    const { seed, claim } = await firstCaught(mutant)
    t.ok(claim, 'it is caught')
    t.comment(`${mutant.name}: seed ${seed}: ${claim}`)
    // The others have just ended without one.
    if (seed > seedsMax) t.equal((await runStore(seed)).failure, undefined, 'in the mutant alone')
  })
}

/** The seed that caught it last is tried first: most often it still does. */
async function firstCaught(mutant: StoreMutant) {
  const known = storeMutantSeeds[mutant.name] ?? 1
  const others = Array.from({ length: 60 }, (_, n) => n + 1).filter((seed) => seed !== known)
  for (const seed of [known, ...others]) {
    const { failure } = await runStore(seed, { mutant })
    if (failure !== undefined) return { seed, claim: failure.claim }
  }
  return { seed: known, claim: undefined }
}

// What a client does, its times of call and return, and what it was told.
type Row = readonly [Partial<KeyOperation>, invokedMs: number, returnedMs: number]

const put = (at: number, value: string, isDone?: boolean, cas?: string): Partial<KeyOperation> => {
  return { at, write: { kind: 'put', value, flags: '0', cas }, isDone }
}
const remove = (at: number, isDone?: boolean, cas?: string): Partial<KeyOperation> => {
  return { at, write: { kind: 'delete', cas }, isDone }
}
const get = (index: number, stored?: Stored): Partial<KeyOperation> => ({ read: { index, stored } })
const row = (value: string, createIndex: number, modifyIndex: number): Stored => {
  return { value, flags: 0, lockIndex: 0, session: '', createIndex, modifyIndex }
}
const never = Infinity

const histories: readonly [string, 'linearizable' | 'violation', readonly Row[]][] = [
  ['nothing at all', 'linearizable', []],
  ['a read of a key that never was', 'linearizable', [[get(1), 0, 1]]],
  [
    'a put, and a read of it',
    'linearizable',
    [
      [put(5, 'a', true), 0, 1],
      [get(5, row('a', 5, 5)), 2, 3],
    ],
  ],
  [
    'a read that misses a put that was answered',
    'violation',
    [
      [put(5, 'a', true), 0, 1],
      [get(1), 2, 3],
    ],
  ],
  [
    'a read beside a put sees it or not',
    'linearizable',
    [
      [put(5, 'a', true), 0, 9],
      [get(1), 1, 2],
      [get(5, row('a', 5, 5)), 3, 4],
    ],
  ],
  [
    'a put that shows and is gone again',
    'violation',
    [
      [put(5, 'a', true), 0, 9],
      [get(5, row('a', 5, 5)), 1, 2],
      [get(1), 3, 4],
    ],
  ],
  [
    'a put without an answer that shows late',
    'linearizable',
    [
      [put(5, 'a'), 0, never],
      [get(1), 1, 2],
      [get(5, row('a', 5, 5)), 3, 4],
    ],
  ],
  [
    'a put that begins after a read has shown it',
    'violation',
    [
      [get(5, row('a', 5, 5)), 0, 1],
      [put(5, 'a', true), 2, 3],
    ],
  ],
  [
    'one of two check-and-sets from the same index',
    'linearizable',
    [
      [put(5, 'a', true, '0'), 0, 9],
      [put(6, 'b', false, '0'), 0, 9],
      [get(5, row('a', 5, 5)), 10, 11],
    ],
  ],
  [
    'two check-and-sets from the same index',
    'violation',
    [
      [put(5, 'a', true, '0'), 0, 9],
      [put(6, 'b', true, '0'), 0, 9],
    ],
  ],
  [
    'a check-and-set that is refused though it has the index',
    'violation',
    [
      [put(5, 'a', true), 0, 1],
      [put(6, 'b', false, '5'), 2, 3],
    ],
  ],
  [
    'a key that comes again with a new create index',
    'linearizable',
    [
      [put(5, 'a', true), 0, 1],
      [remove(6, true), 2, 3],
      [get(6), 4, 5],
      [put(7, 'a', true), 6, 7],
      [get(7, row('a', 7, 7)), 8, 9],
    ],
  ],
  [
    'the index of a deleted key that falls',
    'violation',
    [
      [put(5, 'a', true), 0, 1],
      [remove(6, true), 2, 3],
      [get(5), 4, 5],
    ],
  ],
  [
    'a put of what is there keeps the index',
    'linearizable',
    [
      [put(5, 'a', true), 0, 1],
      [put(6, 'a', true), 2, 3],
      [get(5, row('a', 5, 5)), 4, 5],
    ],
  ],
  [
    'a put of what is there that raises the index',
    'violation',
    [
      [put(5, 'a', true), 0, 1],
      [put(6, 'a', true), 2, 3],
      [get(6, row('a', 5, 6)), 4, 5],
    ],
  ],
  [
    'a put that was applied twice',
    'violation',
    [
      [put(5, 'a', true), 0, 1],
      [put(6, 'b', true), 2, 3],
      [get(7, row('a', 5, 7)), 4, 5],
    ],
  ],
  [
    'an index that is smaller than one before it in time',
    'violation',
    [
      [put(6, 'a', true), 0, 1],
      [put(5, 'b', true), 2, 3],
    ],
  ],
  [
    'a delete with the index of long ago',
    'linearizable',
    [
      [put(5, 'a', true), 0, 1],
      [put(6, 'b', true), 2, 3],
      [remove(7, false, '5'), 4, 5],
      [get(6, row('b', 5, 6)), 6, 7],
    ],
  ],
]

for (const [name, verdict, rows] of histories) {
  t.test(`the checker of keys judges ${name}: ${verdict}`, async (t) => {
    const operations = rows.map(([what, invokedMs, returnedMs]) => {
      return { key: 'k', invokedMs, returnedMs, ...what }
    })
    t.equal(checkKey(operations), verdict)
    t.equal(checkKey(operations.toReversed()), verdict, 'in any order of the rows')
  })
}

t.test(
  'the checker of keys judges thousands of operations of ten clients in a moment',
  async (t) => {
    const operations: KeyOperation[] = []
    for (let at = 1; at <= 2000; at++) {
      const value = `v${at}`
      const [invokedMs, returnedMs] = [at * 10 - 45, at * 10 + 45]
      operations.push({ key: 'k', invokedMs, returnedMs, ...put(at, value, true) })
      operations.push({ key: 'k', invokedMs, returnedMs, ...get(at, row(value, 1, at)) })
    }
    const started = performance.now()
    t.equal(checkKey(operations), 'linearizable')
    t.comment(`${(performance.now() - started).toFixed(0)} ms`)
    const late = { key: 'k', invokedMs: 16_000, returnedMs: 16_100, ...get(1, row('v1', 1, 1)) }
    t.equal(checkKey([...operations, late]), 'violation')
  },
)

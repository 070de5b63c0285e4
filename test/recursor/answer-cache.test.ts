import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { CacheMemory, newCache } from '../../src/recursor/cache-layout.ts'
import { CacheReader } from '../../src/recursor/cache-reader.ts'
import { CacheWriter } from '../../src/recursor/cache-writer.ts'
import { outsideQuestion } from '../../src/recursor/outside-question.ts'
import type { OutsideQuestion } from '../../src/recursor/outside-question.ts'
import type { StoredAnswer } from '../../src/recursor/stored-answer.ts'
import { buildQuery } from '../dns/fixture.ts'

function question(name: string, dnssecOk = false): OutsideQuestion {
  const query = buildQuery(name, 'A')
  return outsideQuestion(query, query.length, dnssecOk)
}

/** An answer of so many octets, all of which say which answer it is. */
function answer({ octets }: OutsideQuestion, version: number, size = 64): StoredAnswer {
  const bytes = new Uint8Array(12 + octets.length + size).fill(version)
  bytes.set(octets, 12)
  return { bytes, marks: Uint16Array.of(20, bytes.length), extendedError: 0 }
}

const week = { storedMs: 0, originMs: 0, lifetimeSeconds: 600_000, isStale: false, epoch: 0 }

function rig(bytesMax = 64 * 1024) {
  const handle = newCache(bytesMax, 4711)
  const memory = new CacheMemory(handle)
  return {
    memory,
    writer: new CacheWriter(memory, 1),
    reader: new CacheReader(new CacheMemory(handle)),
  }
}

t.test('an answer is found by name without regard to case, by type, DO and CD', async (t) => {
  const { writer, reader } = rig()
  const asked = question('www.example.com')
  writer.put(asked, answer(asked, 7), week)
  const find = (name: string, type: string, dnssecOk: boolean, checkingDisabled = 0): boolean => {
    const query = buildQuery(name, type)
    query.writeUInt8(checkingDisabled, 3)
    return reader.findFor(query, query.length, dnssecOk, 0)
  }
  t.ok(find('wWw.eXample.COM', 'A', false))
  t.equal(reader.copy().bytes.at(-1), 7)
  t.notOk(find('www.example.com', 'AAAA', false))
  t.notOk(find('www.example.com', 'A', true))
  t.notOk(find('www.example.com', 'A', false, 0x10))
  t.notOk(find('ww.example.com', 'A', false))
})

t.test('an answer ends with its lifetime, or with the epoch', async (t) => {
  const { writer, reader, memory } = rig()
  const asked = question('a.test')
  writer.put(asked, answer(asked, 1), { ...week, storedMs: 1000, lifetimeSeconds: 5 })
  t.equal(reader.find(asked, 5999), 'fresh')
  t.equal(reader.age.ageSeconds, 4)
  t.equal(reader.find(asked, 6000), 'expired')
  memory.nextEpoch()
  t.equal(reader.find(asked, 1000), undefined)
})

t.test('the cache holds what was put last, or nothing, whatever is put', async (t) => {
  const put = fc.record({ name: fc.nat(40), size: fc.nat(3000), isRead: fc.boolean() })
  const holds = fc.property(fc.array(put, { maxLength: 300 }), (puts) => {
    const { writer, reader } = rig()
    const versions = new Map<number, number>()
    for (const [at, { name, size, isRead }] of puts.entries()) {
      const asked = question(`n${name}.test`)
      const version = at & 0xff
      writer.put(asked, answer(asked, version, size + 1), week)
      versions.set(name, version)
      if (isRead && reader.find(asked, 0) !== undefined) reader.use()
      for (const [other, expected] of versions) {
        if (reader.find(question(`n${other}.test`), 0) === undefined) continue
        if (reader.copy().bytes.at(-1) !== expected || !reader.isIntact) return false
      }
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 50 }))
})

t.test('names that are asked once do not push out one that is in use', async (t) => {
  const { writer, reader, memory } = rig()
  const hot = question('hot.test')
  writer.put(hot, answer(hot, 1), week)
  for (let n = 0; n < 20_000; n++) {
    const cold = question(`cold-${n}.test`)
    writer.put(cold, answer(cold, 2), week)
    if (n % 100 === 0) {
      t.equal(reader.find(hot, 0), 'fresh')
      reader.use()
    }
  }
  t.ok(memory.entries <= (64 * 1024) / 128, `${memory.entries} entries`)
  t.ok(memory.entries > 100)
})

t.test('a reader notices that an entry is overwritten while it is used', async (t) => {
  const { writer, reader } = rig()
  const asked = question('a.test')
  writer.put(asked, answer(asked, 1), week)
  t.equal(reader.find(asked, 0), 'fresh')
  t.ok(reader.isIntact)
  for (let n = 0; n < 1000; n++) writer.put(question(`b${n}.test`), answer(asked, 2), week)
  t.notOk(reader.isIntact)
})

t.test(
  'one reader is told to refresh an answer in use, in the last tenth of its life',
  async (t) => {
    const { writer, reader } = rig()
    const asked = question('a.test')
    writer.put(asked, answer(asked, 1), { ...week, lifetimeSeconds: 100 })
    const use = (nowMs: number): boolean => {
      reader.find(asked, nowMs)
      return reader.use()
    }
    t.strictSame([use(0), use(89_000), use(89_500)], [false, false, false])
    t.strictSame([use(91_000), use(91_000)], [true, false])
  },
)

t.test('a huge answer is not kept', async (t) => {
  const { writer, reader } = rig()
  const asked = question('a.test')
  writer.put(asked, answer(asked, 1, 30_000), week)
  t.equal(reader.find(asked, 0), undefined)
})

t.test('readers on other threads than the writers never use half of an entry', async (t) => {
  const handle = newCache(64 * 1024, 4711)
  const questions = Array.from({ length: 100 }, (_, n) => question(`n${n}.test`))
  const stop = new SharedArrayBuffer(4)
  const workers = [1, 2].map((number) => {
    const workerData = { handle, questions, stop, number }
    return new Worker(new URL('cache-churn.mjs', import.meta.url), { workerData })
  })
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const memory = new CacheMemory(handle)
  const reader = new CacheReader(memory)
  const seen = { whole: 0, overwritten: 0, torn: 0 }
  for (let n = 0; seen.whole < 50_000 && n < 10_000_000; n++) {
    const asked = must(questions[n % questions.length])
    if (reader.find(asked, 0) === undefined) continue
    const { bytes } = reader.copy()
    if (!reader.isIntact) seen.overwritten++
    else if (isWhole(bytes, asked)) seen.whole++
    else seen.torn++
  }
  Atomics.store(new Int32Array(stop), 0, 1)
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  t.equal(seen.torn, 0)
  t.equal(memory.entries, memory.places.filter((position) => position !== 0).length)
  t.ok(seen.whole >= 50_000, JSON.stringify(seen))
})

t.test(
  'while one thread writes, another keeps nothing; a writer that died leaves it empty',
  async (t) => {
    const { writer, reader, memory } = rig()
    const [first, second] = [question('a.test'), question('b.test')]
    writer.put(first, answer(first, 1, 30), week)
    t.ok(memory.tryLock(7))
    t.notOk(memory.tryLock(8))
    writer.put(second, answer(second, 1, 30), week)
    t.equal(reader.find(second, 0), undefined)
    memory.noteDeath(8)
    t.ok(reader.find(first, 0), 'the thread that died did not write')
    memory.noteDeath(7)
    t.equal(reader.find(first, 0), undefined)
    t.equal(memory.entries, 0)
    writer.put(second, answer(second, 1, 30), week)
    t.ok(reader.find(second, 0))
  },
)

function isWhole(bytes: Uint8Array, { octets }: OutsideQuestion): boolean {
  const start = 12 + octets.length
  const [first] = bytes
  return (
    bytes.length > start && bytes.every((octet, at) => (at >= 12 && at < start) || octet === first)
  )
}

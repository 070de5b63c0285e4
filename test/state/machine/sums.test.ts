import fc from 'fast-check'
import { Sqlite } from '../../helpers/sqlite.ts'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { openMachine, stateTables } from '../../../src/state/families.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import { RowSum } from '../../../src/state/machine/row-sum.ts'
import { decodeSums, loadSums, scanSums, tablesText } from '../../../src/state/machine/sums.ts'
import { anyCommand } from '../../helpers/any-command.ts'
import { MemoryCatalog, registerCommand, serviceDefinition } from '../../helpers/catalog.ts'
import { committed } from '../../helpers/state.ts'

const body = await anyCommand()

/** Entries whose requests are retried now and then, in batches of any size. */
const entries = fc.array(fc.record({ body, retries: fc.constantFrom(0, 0, 0, 1, 5) }), {
  minLength: 1,
  maxLength: 60,
})

t.test('after any commands the sums of the write path are those of a full scan', async () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 7 }), (list, batch) => {
      const catalog = new MemoryCatalog()
      // Up to the entries where requests are forgotten, and over them.
      const commands = list.map((entry, at) => {
        const { command, ...rest } = committed(230 + at, entry.body)
        const requestId = `r${230 + at - entry.retries}`
        return { ...rest, command: { ...must(command), requestId, timeMs: at * 700_000 } }
      })
      for (let at = 0; at < commands.length; at += batch) {
        catalog.machine.applyBatch(commands.slice(at, at + batch))
        if (tablesText(scanSums(catalog.db, stateTables)) !== catalog.machine.sums.now.text)
          return false
      }
      // What was noted is what a restart reads.
      return openMachine(catalog.db).sums.now.text === catalog.machine.sums.now.text
    }),
    { numRuns: 300 },
  )
})

t.test('replicas record the same sums at the same entries, whatever their batches', async (t) => {
  const commands = Array.from({ length: 800 }, (_, at) => {
    const id = `s${at % 50}`
    const kinds: readonly CommandBody[] = [
      registerCommand(`n${at % 3}`, { service: serviceDefinition('web', { id, port: at }) }),
      { kind: 'deregister', nodeName: `n${at % 3}`, serviceId: id },
    ]
    return committed(at + 1, must(kinds[at % 7 === 0 ? 1 : 0]))
  })
  const recorded = [1, 10, 800].map((size) => {
    const catalog = new MemoryCatalog()
    for (let at = 0; at < commands.length; at += size) {
      catalog.machine.applyBatch(commands.slice(at, at + size))
    }
    return catalog.machine.sums
  })
  t.strictSame(
    must(recorded[0]).recorded.map(({ index }) => index),
    [255, 511, 767],
  )
  t.strictSame(recorded[1], recorded[0])
  t.strictSame(recorded[2], recorded[0])
})

t.test('requests that are forgotten leave the sum', async (t) => {
  const catalog = new MemoryCatalog()
  const entry = (index: number, timeMs: number) => {
    const { command, ...rest } = committed(index, registerCommand('n1'))
    return { ...rest, command: { ...must(command), timeMs } }
  }
  catalog.machine.applyBatch([entry(1, 0), entry(2, 0), entry(300, 650_000)])
  catalog.machine.applyBatch([entry(10_240, 700_000)])
  const rows = catalog.db.prepare('SELECT log_index FROM requests ORDER BY log_index').raw().all()
  t.strictSame(rows, [[300], [10_240]])
  t.equal(tablesText(scanSums(catalog.db, stateTables)), catalog.machine.sums.now.text)
})

t.test('names that are gone, come back or are forgotten leave the sums', async (t) => {
  const catalog = new MemoryCatalog()
  let gone = 0
  const wrong: number[] = []
  for (let at = 0; at < 300; at++) {
    // An instance changes its name; entries are 128 apart, as others would lie between.
    const service = serviceDefinition(`web-${at < 150 ? at % 20 : at}`, { id: 'a' })
    const index = (at + 1) * 128
    catalog.machine.applyBatch([committed(index, registerCommand('n1', { service }))])
    const rows = catalog.db.prepare('SELECT count(*) FROM gone_subjects').pluck().get()
    gone = Math.max(gone, Number(rows))
    if (tablesText(scanSums(catalog.db, stateTables)) !== catalog.machine.sums.now.text)
      wrong.push(index)
  }
  t.strictSame(wrong, [])
  const left = Number(catalog.db.prepare('SELECT count(*) FROM subjects').pluck().get())
  t.ok(gone > 20 && left < 100, `${gone} names were gone, ${left} subjects are left`)
})

t.test('a batch that fails leaves rows and sums as they were', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(registerCommand('n1'))
  const before = catalog.machine.sums.now
  catalog.db.exec(
    "CREATE TEMP TRIGGER fails BEFORE INSERT ON services BEGIN SELECT RAISE(ABORT, 'no'); END",
  )
  t.throws(() => catalog.apply(registerCommand('n2', { service: serviceDefinition('web') })), /no/)
  t.strictSame(catalog.machine.sums.now, before)
  t.equal(tablesText(scanSums(catalog.db, stateTables)), before.text)
})

t.test('each bit of each value counts for the sum of a row', async (t) => {
  const row: readonly (string | number)[] = [
    'node',
    'web',
    '10.0.0.1',
    80,
    2 ** 40 + 1,
    '{"a":"b"}',
  ]
  const of = (values: readonly unknown[]): string => {
    const sum = new RowSum()
    sum.add(values)
    return sum.text
  }
  const seen = new Set([of(row)])
  let count = 1
  for (const [at, value] of row.entries()) {
    if (typeof value === 'number') {
      for (let bit = 0; bit < 53; bit++, count++) {
        const flipped = Number(BigInt(value) ^ (1n << BigInt(bit)))
        seen.add(of(row.with(at, flipped)))
      }
      continue
    }
    const bytes = Buffer.from(value)
    for (let bit = 0; bit < bytes.length * 7; bit++, count++) {
      const flipped = Buffer.from(bytes)
      const byte = Math.floor(bit / 7)
      flipped[byte] = must(flipped[byte]) ^ (1 << (bit % 7))
      seen.add(of(row.with(at, flipped.toString())))
    }
  }
  t.equal(seen.size, count)
  t.not(of(['ab', 'c']), of(['a', 'bc']), 'and where a value ends')
  t.not(of(['1']), of([1]))
})

t.test(
  'the sum of rows does not depend on their order, and goes back to where it was',
  async (t) => {
    const rows = [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ] as const
    const one = new RowSum()
    const other = new RowSum()
    for (const row of rows) one.add(row)
    for (const row of rows.toReversed()) other.add(row)
    t.equal(one.text, other.text)
    t.equal(must(RowSum.parse(one.text)).text, one.text)
    for (const row of rows) one.subtract(row)
    t.equal(one.text, '0'.repeat(16))
  },
)

t.test('half a surrogate pair sums up as what SQLite gives back for it', async (t) => {
  const db = new Sqlite(':memory:')
  db.exec('CREATE TABLE t (x TEXT NOT NULL) STRICT')
  for (const value of [
    '\ud800',
    'a\udc00',
    '\udc00\ud800',
    '\ud83d\ude00',
    '\ud83d\ud83d\ude00',
    '\0',
    '\ufffd',
  ]) {
    db.exec('DELETE FROM t')
    db.prepare('INSERT INTO t VALUES (?)').run(value)
    const written = new RowSum()
    written.add([value])
    const read = new RowSum()
    read.add(must(db.prepare<[], unknown[]>('SELECT x FROM t').raw().get()))
    t.equal(read.text, written.text, JSON.stringify(value))
  }
})

t.test('the text of the sums says of which entry they are, and that they are whole', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(registerCommand('n1'))
  const { place } = loadSums(catalog.db)
  const noted = catalog.db.prepare<[], { value: string }>(
    "SELECT value FROM meta WHERE key = 'sums'",
  )
  const text = must(noted.get()).value
  t.ok(decodeSums(text, place))
  t.equal(decodeSums(text, { ...place, index: 2 }), undefined)
  t.equal(decodeSums(text, { ...place, term: 2 }), undefined)
  for (let at = 0; at < text.length; at++) {
    const flipped =
      text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
    t.equal(decodeSums(flipped, place), undefined, flipped)
  }
  for (const none of ['', 'x', undefined, 7, null]) t.equal(decodeSums(none, place), undefined)
})

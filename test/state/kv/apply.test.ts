import fc from 'fast-check'
import t from 'tap'
import type { KvCommand } from '../../../src/state/kv/commands.ts'
import { rememberEntries } from '../../../src/state/kv/store.ts'
import { kvSubject } from '../../../src/state/kv/subjects.ts'
import { kvPut, MemoryKv } from '../../helpers/kv.ts'

t.test('a put adds a key, replaces it, and keeps its create index', async (t) => {
  const kv = new MemoryKv()
  kv.put('a', 'one', { flags: '18446744073709551615' })
  t.match(kv.reader.entry('a'), {
    flags: '18446744073709551615',
    lockIndex: 0,
    session: '',
    createIndex: 1,
    modifyIndex: 1,
  })
  kv.put('a', 'two')
  t.match(kv.reader.entry('a'), { flags: '0', createIndex: 1, modifyIndex: 2 })
  t.strictSame(kv.list(), [['a', 'two']])
  t.equal(kv.reader.entry('b'), undefined)
})

t.test('a put of the same value and flags writes nothing and touches nothing', async (t) => {
  const kv = new MemoryKv()
  kv.put('a', 'v', { flags: '7' })
  const before = kv.sums()[0].replace(/requests=\w+/, '')
  t.strictSame(kv.apply(kvPut('a', 'v', { flags: '7' })).subjects, new Set())
  t.equal(kv.sums()[0].replace(/requests=\w+/, ''), before)
  t.match(kv.reader.entry('a'), { modifyIndex: 1 })
  t.ok(kv.apply(kvPut('a', 'v', { flags: '8' })).subjects.size > 0, 'other flags are a change')
})

t.test('a check-and-set tells when it has not set, and only then costs its row', async (t) => {
  const kv = new MemoryKv()
  t.notOk(kv.put('a', 'v', { cas: '5' }), 'there is no such key')
  t.ok(kv.put('a', 'v', { cas: '0' }))
  t.notOk(kv.put('a', 'w', { cas: '0' }))
  t.notOk(kv.put('a', 'w', { cas: '18446744073709551615' }))
  t.ok(kv.put('a', 'w', { cas: '2' }))
  t.notOk(kv.delete('a', '2'))
  t.notOk(kv.delete('a', '0'))
  t.ok(kv.delete('a', '5'))
  t.ok(kv.delete('a', '5'), 'it is not there')
  const outcomes = kv.db.prepare('SELECT outcome FROM requests ORDER BY log_index').pluck().all()
  t.equal(outcomes[1], '{"ok":true,"index":2}')
  t.equal(outcomes[2], '{"ok":true,"index":3,"value":false}')
})

t.test('a lock stays when its key is written', async (t) => {
  const kv = new MemoryKv()
  kv.put('a')
  const row = kv.rows('kv')[0] as Record<string, unknown>
  kv.db.prepare("UPDATE kv SET session = 's1', lock_index = 3 WHERE key = 'a'").run()
  t.equal(row['session'], '')
  kv.put('a', 'w')
  t.match(kv.reader.entry('a'), { session: 's1', lockIndex: 3, modifyIndex: 2 })
})

t.test('a tree is deleted by its prefix, however large it is', async (t) => {
  const kv = new MemoryKv()
  kv.applyAll(...Array.from({ length: 300 }, (_, at) => kvPut(`a/${at}`, 'v')))
  for (const key of ['a', 'a/', 'b', 'a0']) kv.put(key)
  const { subjects } = kv.apply({ kind: 'kv-delete-tree', prefix: 'a/' })
  t.strictSame(kv.list(), [
    ['a', 'v'],
    ['a0', 'v'],
    ['b', 'v'],
  ])
  t.ok(subjects.has('key:a/299') && subjects.has('tree:a/') && subjects.has('tree:'))
  t.notOk(subjects.has('key:a'))
  t.equal(kv.reader.indexOfKey('a/7'), kv.index)
  t.equal(kv.reader.indexOfPrefix('a/2'), kv.index)
  t.strictSame(kv.apply({ kind: 'kv-delete-tree', prefix: 'a/' }).subjects, new Set())
  t.strictSame(...kv.sums())
  kv.apply({ kind: 'kv-delete-tree', prefix: '' })
  t.strictSame(kv.list(), [])
})

t.test('a deleted key is forgotten after a while, and no index falls', async (t) => {
  const kv = new MemoryKv(256)
  kv.put('a/old')
  kv.delete('a/old')
  kv.put('a/live')
  const gone = kv.index - 256
  t.equal(kv.reader.indexOfKey('a/old'), gone)
  t.equal(kv.reader.indexOfKey('a/never'), 0, 'nothing is known of it')
  while (kv.index < gone + rememberEntries + 4096) kv.put('b', String(kv.index))
  t.equal(kv.rows('kv_tombstones').length, 1, 'the key has no row any more')
  t.equal(kv.reader.indexOfKey('a/old'), gone)
  t.equal(kv.reader.indexOfKey('a/never'), gone, 'it may have been the same')
  t.equal(kv.reader.indexOfPrefix('a/'), gone + 256, 'what is alive keeps its index')
  t.equal(kv.reader.indexOfPrefix('c/'), gone)
  t.strictSame(...kv.sums())
})

t.test('the keys that come and go leave no rows behind', async (t) => {
  const kv = new MemoryKv(256)
  let most = 0
  for (let at = 0; at < 1500; at++) {
    kv.put(`job/${at}`)
    kv.delete(`job/${at}`)
    most = Math.max(most, kv.rows('kv_tombstones').length)
  }
  t.ok(most <= 1 + (rememberEntries + 4096) / 512, `${most} rows at most`)
})

const keys = ['a', 'a/', 'a/b', 'a/b/c', 'a/bc', 'ab', 'b/c', 'é', '😀/x', '\ufffd']
const prefixes = ['', 'a', 'a/', 'a/b', 'a/b/', 'b/', 'é', 'none/', '😀']

const key = fc.constantFrom(...keys)
const value = fc.constantFrom('', 'v', 'w')
const flags = fc.constantFrom('0', '1', '18446744073709551615')
const command: fc.Arbitrary<KvCommand> = fc.oneof(
  fc.tuple(key, value, flags).map(([k, v, f]) => kvPut(k, v, { flags: f })),
  fc.tuple(key, value, fc.nat(40)).map(([k, v, cas]) => kvPut(k, v, { cas: String(cas * 512) })),
  key.map((k): KvCommand => ({ kind: 'kv-delete', key: k })),
  fc
    .tuple(key, fc.nat(40))
    .map(([k, cas]): KvCommand => ({ kind: 'kv-delete', key: k, cas: String(cas * 512) })),
  fc.constantFrom(...prefixes).map((prefix): KvCommand => ({ kind: 'kv-delete-tree', prefix })),
)

interface Known {
  readonly value: string
  readonly flags: string
  readonly create: number
  readonly modify: number
}

/** What a store must do, without its indexes of what is gone. */
class Model {
  readonly keys = new Map<string, Known>()

  apply(body: KvCommand, index: number): boolean {
    if (body.kind === 'kv-delete-tree') {
      for (const key of this.keys.keys()) if (key.startsWith(body.prefix)) this.keys.delete(key)
      return true
    }
    const known = this.keys.get(body.key)
    const isExpected = body.cas === undefined || body.cas === String(known?.modify ?? 0)
    if (body.kind === 'kv-delete') {
      if (known === undefined) return true
      if (isExpected) this.keys.delete(body.key)
      return isExpected
    }
    if (!isExpected) return false
    const { value, flags } = body
    if (known?.value === value && known.flags === flags) return true
    this.keys.set(body.key, { value, flags, create: known?.create ?? index, modify: index })
    return true
  }

  below(prefix: string): readonly (readonly [string, Known])[] {
    const found = [...this.keys].filter(([key]) => key.startsWith(prefix))
    return found.toSorted((a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])))
  }
}

function shown(kv: MemoryKv, prefix: string): readonly (readonly [string, Known])[] {
  return [...kv.reader.entries(prefix)].map((entry) => [
    entry.key,
    {
      value: Buffer.from(entry.value).toString('base64'),
      flags: entry.flags,
      create: entry.createIndex,
      modify: entry.modifyIndex,
    },
  ])
}

t.test(
  'any log gives what it says, in any batches, and its subjects move with their indexes',
  async (t) => {
    const log = fc.array(command, { minLength: 1, maxLength: 40 })
    // Steps of 512 entries: some of the logs come to where keys are forgotten.
    const run = fc.property(log, fc.constantFrom(1, 512, 8192), (bodies, step) => {
      const kv = new MemoryKv(step)
      const model = new Model()
      for (const body of bodies) {
        const before = new Map(
          prefixes.map((prefix) => [prefix, JSON.stringify(shown(kv, prefix))]),
        )
        const indexes = new Map(prefixes.map((prefix) => [prefix, kv.reader.indexOfPrefix(prefix)]))
        const ofKeys = new Map(keys.map((k) => [k, kv.reader.indexOfKey(k)]))
        const { isDone, subjects } = kv.apply(body)
        if (isDone !== model.apply(body, kv.index)) throw new Error('another outcome')
        for (const prefix of prefixes) {
          const now = shown(kv, prefix)
          if (JSON.stringify(now) !== JSON.stringify(model.below(prefix))) throw new Error('rows')
          const isChanged = JSON.stringify(now) !== before.get(prefix)
          const index = kv.reader.indexOfPrefix(prefix)
          if (isChanged !== (index === kv.index)) throw new Error(`index of ${prefix}`)
          if (index < (indexes.get(prefix) ?? 0)) throw new Error(`the index of ${prefix} fell`)
          if (isChanged && !subjects.has(kvSubject.tree(prefix))) throw new Error(`tree ${prefix}`)
        }
        for (const [k, index] of ofKeys) {
          const now = kv.reader.indexOfKey(k)
          if (now < index) throw new Error(`the index of ${k} fell`)
          if ((now === kv.index) !== subjects.has(kvSubject.key(k))) throw new Error(`key ${k}`)
        }
      }
      const [kept, scanned] = kv.sums()
      if (kept !== scanned) throw new Error('the sums differ from the rows')
      const whole = new MemoryKv(step)
      whole.applyAll(...bodies)
      if (whole.sums()[0] !== kept) throw new Error('one batch gives another state')
    })
    fc.assert(run, { numRuns: 150 })
    t.pass()
  },
)

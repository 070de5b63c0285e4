import fc from 'fast-check'
import t from 'tap'
import { afterKey, afterPrefix } from '../../../src/state/kv/key-range.ts'
import { KvReader } from '../../../src/state/kv/reader.ts'
import { kvSubject, subjectsOf } from '../../../src/state/kv/subjects.ts'
import { kvPut, MemoryKv } from '../../helpers/kv.ts'

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const text = fc.string({
  unit: fc.constantFrom(
    'a',
    'b',
    '/',
    '\u007f',
    '\u07ff',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '😀',
    '\u{10ffff}',
  ),
  maxLength: 4,
})

t.test('the range of a prefix holds all keys that begin with it, and no others', async (t) => {
  const kv = new MemoryKv()
  const isIn = kv.db.prepare<[string, string, unknown]>(
    'SELECT 1 FROM (SELECT CAST(? AS TEXT) AS key) WHERE key >= ? AND key < ?',
  )
  const run = fc.property(text, text, (prefix, key) => {
    const found = isIn.get(key, prefix, afterPrefix(prefix)) !== undefined
    return found === key.startsWith(prefix)
  })
  fc.assert(run, { numRuns: 3000 })
  t.equal(bytewise(afterKey('a'), 'a'), 1)
  t.equal(afterPrefix('a/'), 'a0')
  t.equal(afterPrefix('\ud7ff'), '\ue000')
  t.equal(afterPrefix('a\u{10ffff}'), 'b')
  t.strictSame(afterPrefix('\u{10ffff}'), new Uint8Array())
})

t.test('lists of any length are read page by page, in the bytewise order of keys', async (t) => {
  const kv = new MemoryKv()
  const keys = Array.from({ length: 1500 }, (_, at) => `k/${at % 40}/${at}`)
  kv.applyAll(...keys.map((key) => kvPut(key, `value of ${key}`)))
  for (const key of ['k', 'k0', 'l']) kv.put(key)
  const sorted = keys.toSorted(bytewise)
  t.strictSame([...kv.reader.keys('k/')], sorted)
  t.strictSame(
    [...kv.reader.entries('k/')].map(({ key }) => key),
    sorted,
  )
  const folders = [...new Set(keys.map((key) => key.replace(/\d+$/, '')))].toSorted(bytewise)
  t.strictSame([...kv.reader.keys('k/', '/')], folders)
  t.strictSame([...kv.reader.keys('', '/')], ['k', 'k/', 'k0', 'l'])
  t.strictSame([...kv.reader.keys('none/', '/')], [])
})

t.test('any keys are cut at the separator as one by one', async (t) => {
  const separator = fc.constantFrom('/', 'a', '', '/b')
  const run = fc.property(
    fc.uniqueArray(text, { maxLength: 30 }),
    text,
    separator,
    (all, prefix, by) => {
      const kv = new MemoryKv()
      const keys = all.filter((key) => key !== '')
      for (const key of keys) kv.put(key)
      const below = keys.filter((key) => key.startsWith(prefix)).toSorted(bytewise)
      const cut = below.map((key) => {
        const at = by === '' ? -1 : key.indexOf(by, prefix.length)
        return at < 0 ? key : key.slice(0, at + by.length)
      })
      const expected = cut.filter((key, at) => key !== cut[at - 1])
      return JSON.stringify([...kv.reader.keys(prefix, by)]) === JSON.stringify(expected)
    },
  )
  fc.assert(run, { numRuns: 200 })
  t.pass()
})

t.test('a page of large values has few rows', async (t) => {
  const kv = new MemoryKv()
  const large = 'x'.repeat(500_000)
  for (let at = 0; at < 12; at++) kv.put(`a/${at}`, large)
  const limits: unknown[] = []
  const prepare = kv.db.prepare.bind(kv.db)
  kv.db.prepare = ((source: string) => {
    const statement = prepare(source)
    if (!source.includes('SELECT * FROM kv WHERE key >= ?')) return statement
    const all = (...bound: [string, unknown, number]): unknown[] => {
      limits.push(bound[2])
      return prepare<[string, unknown, number]>(source).all(...bound)
    }
    return { all }
  }) as typeof prepare
  t.equal([...new KvReader(kv.db).entries('a/')].length, 12)
  t.strictSame(limits.slice(0, 2), [8, 1])
})

t.test('the keys of a prefix are looked through once for all who ask for its index', async (t) => {
  const kv = new MemoryKv()
  kv.put('a/b')
  let looks = 0
  const prepare = kv.db.prepare.bind(kv.db)
  kv.db.prepare = ((source: string) => {
    const statement = prepare(source)
    if (!source.includes('max(modify_index) FROM kv ')) return statement
    const pluck = () => ({
      get: (from: string, end: unknown) => {
        looks++
        return statement.pluck().get(from, end)
      },
    })
    return { pluck }
  }) as typeof prepare
  const reader = new KvReader(kv.db)
  for (let at = 0; at < 100; at++) t.equal(reader.indexOfPrefix('a/'), 1)
  t.equal(looks, 1)
  kv.put('a/c')
  for (let at = 0; at < 100; at++) t.equal(reader.indexOfPrefix('a/'), 2)
  t.equal(looks, 2)
})

t.test('a key has the subjects of its folders, but no more than 32', async (t) => {
  t.strictSame([...subjectsOf('a/b/c')], ['key:a/b/c', 'tree:', 'tree:a/', 'tree:a/b/'])
  t.equal(kvSubject.tree('a/b'), 'tree:a/')
  t.equal(kvSubject.tree('ab'), 'tree:')
  t.equal(kvSubject.tree('a/b/'), 'tree:a/b/')
  const deep = 'd/'.repeat(100_000)
  const subjects = [...subjectsOf(deep)]
  t.equal(subjects.length, 34)
  t.equal(kvSubject.tree(deep), subjects.at(-1), 'a watch that is deeper waits on the last of them')
})

import fc from 'fast-check'
import t from 'tap'
import { restoreKv } from '../../../src/state/kv/restore.ts'
import { MemoryKv } from '../../helpers/kv.ts'

const key = fc.constantFrom('a', 'a/', 'a/b', 'b', 'é', '😀')
const value = fc.constantFrom('', 'v', 'w')
const flags = fc.constantFrom('0', '18446744073709551615')
const content = fc.uniqueArray(fc.tuple(key, value, flags), { selector: ([k]) => k })

function stored(entries: readonly (readonly [string, string, string])[]): MemoryKv {
  const kv = new MemoryKv()
  for (const [key, value, flags] of entries) kv.put(key, value, { flags })
  return kv
}

const all = (kv: MemoryKv): string =>
  JSON.stringify(
    [...kv.reader.entries('')].map(({ key, value, flags }) => [key, [...value], flags]),
  )

t.test(
  'the commands of a restore make any store another one, and touch what is equal not',
  async (t) => {
    const run = fc.property(content, content, (archived, present) => {
      const [from, to] = [stored(archived), stored(present)]
      const before = new Map([...to.reader.entries('')].map((entry) => [entry.key, entry]))
      for (const bodies of restoreKv(from.reader, to.reader)) {
        for (const body of bodies ?? []) to.apply(body)
      }
      for (const entry of to.reader.entries('')) {
        const earlier = before.get(entry.key)
        const isSame =
          earlier !== undefined &&
          earlier.flags === entry.flags &&
          Buffer.compare(earlier.value, entry.value) === 0
        if (isSame && earlier.modifyIndex !== entry.modifyIndex) return false
      }
      return all(from) === all(to)
    })
    fc.assert(run, { numRuns: 100 })
    t.pass()
  },
)

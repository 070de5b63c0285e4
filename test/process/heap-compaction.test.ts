import t from 'tap'
import { CompactionSwitch } from '../../src/process/heap-compaction.ts'

const mb = 1024 * 1024

/** A look every 100 ms, `heapsMb` in turn; whether heaps are moved after the last. */
function after(...heapsMb: readonly (readonly number[])[]): boolean {
  const compaction = new CompactionSwitch()
  for (const [at, heaps] of heapsMb.entries()) {
    compaction.look(
      heaps.map((bytes) => bytes * mb),
      at * 100,
    )
  }
  return compaction.isOn
}
const calm = (looks: number, ...heaps: readonly number[]) =>
  Array.from({ length: looks }, () => heaps)

t.test('small heaps that were level for 5 s are moved, not before', async (t) => {
  t.equal(after(...calm(50, 20, 14)), false)
  t.equal(after(...calm(51, 20, 14)), true)
})

t.test('a heap that grows quickly ends it at the next look, for all threads', async (t) => {
  t.equal(after(...calm(60, 20, 14), [20, 18]), false)
  t.equal(after(...calm(60, 20, 14), [20, 18], ...calm(50, 20, 18)), false, 'for 5 s')
  t.equal(after(...calm(60, 20, 14), [20, 18], ...calm(51, 20, 18)), true)
})

t.test('slow growth does not, until a heap is large', async (t) => {
  const growing = Array.from({ length: 80 }, (_, at) => [12, 12 + at * 0.4])
  t.equal(after(...growing), true)
  t.equal(after(...growing, [12, 47.9]), false, 'it jumped')
  t.equal(after(...calm(80, 12, 48)), false)
})

t.test('a heap that shrinks is no reason', async (t) => {
  t.equal(after(...calm(60, 30, 14), [18, 14]), true)
})

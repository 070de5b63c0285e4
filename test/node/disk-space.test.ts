import t from 'tap'
import { defaultReserveBytes, isTaken, nextLevel } from '../../src/node/disk-space.ts'
import type { DiskLevel } from '../../src/node/disk-space.ts'

const mib = 1024 * 1024

t.test('256 MiB are kept free, or a twentieth of a smaller disk', async (t) => {
  t.equal(defaultReserveBytes(100_000 * mib), 256 * mib)
  t.equal(defaultReserveBytes(1000 * mib), 50 * mib)
})

t.test('a level is left only when there is a tenth more than its limit', async (t) => {
  const rows: readonly (readonly [number, DiskLevel, DiskLevel])[] = [
    [100, 'enough', 'enough'],
    [99, 'enough', 'low'],
    [109, 'low', 'low'],
    [111, 'low', 'enough'],
    [24, 'low', 'lowest'],
    [27, 'lowest', 'lowest'],
    [28, 'lowest', 'low'],
    [0, 'enough', 'lowest'],
    [500, 'lowest', 'enough'],
  ]
  for (const [freeBytes, before, after] of rows) {
    t.equal(nextLevel({ freeBytes, reserveBytes: 100 }, before), after, `${freeBytes} ${before}`)
  }
  t.equal(nextLevel({ freeBytes: 0, reserveBytes: 0 }, 'enough'), 'enough', '0 keeps none')
})

t.test('what makes room is always taken, health as long as it can be', async (t) => {
  const taken = (['register', 'update-check', 'deregister'] as const).map((kind) =>
    (['enough', 'low', 'lowest'] as const).map((level) => isTaken(kind, level)),
  )
  t.strictSame(taken, [
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ])
})

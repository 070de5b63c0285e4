import t from 'tap'
import { DiskSpace, defaultReserveBytes, isTaken, nextLevel } from '../../src/replica/disk-space.ts'
import type { DiskLevel } from '../../src/replica/disk-space.ts'

import { silentLogger } from '../../src/base/log.ts'

const mib = 1024 * 1024

t.test('each look at a disk that is short of space asks for what can be given back', async (t) => {
  const asked = async (reserveBytes: number): Promise<number> => {
    let count = 0
    const onLow = (): void => void count++
    const parts = { directory: t.testdirName, node: 'n1', logger: silentLogger, onLow }
    const space = new DiskSpace({ ...parts, reserveBytes })
    for (let looks = 0; looks < 2; looks++) await space.look()
    return count
  }
  t.testdir()
  t.equal(await asked(1), 0)
  t.equal(await asked(Number.MAX_SAFE_INTEGER), 2)
})

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

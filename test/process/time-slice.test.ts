import { execFileSync } from 'node:child_process'
import { release } from 'node:os'
import t from 'tap'
import { loadLibc } from '../../src/process/libc.ts'
import { shortestSliceNs, sliceNs, takeShortSlices } from '../../src/process/time-slice.ts'
import { missing } from '../helpers/tools.ts'

const libc = loadLibc()
const [major = 0, minor = 0] = release().split('.').map(Number)
/** Older releases have no slice for each thread. */
const hasSlices = major > 6 || (major === 6 && minor >= 12)
const skip =
  libc instanceof Error || sliceNs(libc) === undefined
    ? 'needs sched_getattr'
    : hasSlices
      ? false
      : 'needs Linux 6.12'

t.test('a thread gets the shortest time slice', { skip }, async (t) => {
  if (libc instanceof Error) throw libc
  const nice = execFileSync('ps', ['-o', 'ni=', '-p', `${process.pid}`], { encoding: 'utf8' })
  takeShortSlices(libc)
  t.equal(sliceNs(libc), shortestSliceNs)
  const after = execFileSync('ps', ['-o', 'ni=', '-p', `${process.pid}`], { encoding: 'utf8' })
  t.equal(after, nice, 'its priority stays')
})

t.test(
  'a policy that an operator has chosen stays',
  { skip: skip !== false ? skip : missing('chrt') },
  async (t) => {
    if (libc instanceof Error) throw libc
    execFileSync('chrt', ['--batch', '--pid', '0', `${process.pid}`])
    t.teardown(() => execFileSync('chrt', ['--other', '--pid', '0', `${process.pid}`]))
    takeShortSlices(libc)
    const policy = execFileSync('chrt', ['--pid', `${process.pid}`], { encoding: 'utf8' })
    t.match(policy, /SCHED_BATCH/)
  },
)

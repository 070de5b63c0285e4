import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { openedLine } from '../../src/audit/lines.ts'
import { LogFile } from '../../src/process/log-file.ts'
import { AuditTrail } from '../../src/audit/trail.ts'
import { silentLogger } from '../../src/base/log.ts'
import { MemoryStore } from '../helpers/memory-store.ts'
import { notRoot } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

const rotation = { rotateBytes: 0, rotateMs: 0, rotateMaxFiles: 0 }

/** A trail over a log in memory. */
class Rig {
  readonly path: string
  readonly log = new MemoryStore()
  readonly trail: AuditTrail

  constructor(t: Test, path: string) {
    this.path = path
    this.trail = new AuditTrail({
      settings: { path, ...rotation },
      node: 'n1',
      log: this.log,
      appliedIndex: () => this.log.lastIndex,
      outcomeOf: () => undefined,
      logger: silentLogger,
      clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
      onChange: () => {},
    })
    t.teardown(() => this.trail.close())
  }

  /** Puts a key, and waits for its line. */
  async put(key: string): Promise<void> {
    const body = { kind: 'kv-put', key, value: '', flags: '0' }
    const requestId = `r-${key}`
    const command = { version: 1, timeMs: 0, requestId, actor: 'http 10.0.0.1', cause: '', body }
    const index = this.log.lastIndex + 1
    const data = Buffer.from(JSON.stringify(command))
    this.log.log.push({ index, term: 1, kind: 'command', data })
    this.trail.applied([])
    await until(`the line of ${key}`, 5000, () => this.text.includes(`"key":"${key}"`))
  }

  get text(): string {
    return existsSync(this.path) ? readFileSync(this.path, 'utf8') : ''
  }
}

t.test(
  'what is in a file that was moved is not written again, whatever lies beside it',
  async (t) => {
    const directory = t.testdir()
    const rig = new Rig(t, join(directory, 'audit.log'))
    for (const key of ['a', 'b', 'c']) await rig.put(key)
    // An old file was left behind; the present one goes where the trail does not look.
    writeFileSync(`${rig.path}.old`, openedLine('n1', 1, 0))
    renameSync(rig.path, join(directory, 'moved.log'))
    rig.trail.reopen()
    await rig.put('d')
    t.match(rig.text, /^\{.*"type":"opened","node":"n1","after":3\}\n\{.*"index":4,/)
    t.notMatch(rig.text, '"index":2,')
  },
)

t.test(
  'each request has a line or is counted, also when the file cannot be written for a while',
  { skip: notRoot() },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'svcd-trail-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
    t.teardown(() => {
      execFileSync('umount', [directory])
      rmdirSync(directory)
    })
    const rig = new Rig(t, join(directory, 'audit.log'))
    await rig.put('before')
    const ballast = join(directory, 'ballast')
    t.throws(() => writeFileSync(ballast, Buffer.alloc(1024 * 1024)), /ENOSPC/)
    let sent = 0
    const send = (): void => rig.trail.request(`{"type":"request","number":${sent++}}\n`)
    const leftOut = (): number => rig.trail.figures.requestsLeftOut
    while (leftOut() === 0) send()
    await until('a failure', 5000, () => rig.trail.failure !== undefined)
    // As soon as those that wait are on their way to the file, there is room for others.
    for (let before = leftOut(); ; before = leftOut()) {
      send()
      if (leftOut() === before) break
      await nextTurn()
    }
    for (let number = 0; number < 1999; number++) send()
    const before = leftOut()
    // The write fails again, and not all of them fit any more.
    await until('what does not fit', 5000, () => leftOut() > before)
    const failures = rig.trail.figures.failures
    rmSync(ballast)
    await until('recovery', 10_000, () => rig.trail.failure === undefined)
    await until('all lines', 5000, () => {
      const counted = [...rig.text.matchAll(/"type":"left-out","requests":(\d+)/g)]
      const lines = [...rig.text.matchAll(/"type":"request"/g)].length
      const all = lines + counted.reduce((sum, [, count]) => sum + Number(count), 0)
      return all === sent
    })
    t.ok(failures >= 1)
    t.equal([...rig.text.matchAll(/"type":"request"/g)].length, sent - leftOut())
  },
)

t.test('a file that was emptied by others does not get longer when a write fails', async (t) => {
  const path = join(t.testdir(), 'audit.log')
  const file = new LogFile({ path, ...rotation, wallMs: () => 0 })
  t.teardown(() => file.close())
  await file.open()
  await file.append(`${'x'.repeat(999)}\n`)
  // As logrotate does it with copytruncate.
  truncateSync(path)
  await file.cutTorn()
  t.equal(readFileSync(path).length, 0)
  await file.append('y\n')
  writeFileSync(path, 'torn', { flag: 'a' })
  await file.cutTorn()
  t.match(readFileSync(path, 'utf8'), /^y\n/)
})

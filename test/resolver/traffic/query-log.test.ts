import { mkdirSync, readFileSync, readdirSync, renameSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import { QueryLog } from '../../../src/resolver/traffic/query-log.ts'
import type { QueryLogSettings } from '../../../src/resolver/traffic/query-log.ts'
import { until } from '../../helpers/until.ts'

interface Rig {
  readonly log: QueryLog
  readonly path: string
  readonly errors: string[]
  readonly text: () => string
  /** Takes lines as a thread does; false: there was no room. */
  readonly write: (text: string) => boolean
  nowMs: number
}

function rig(t: Test, settings: Partial<QueryLogSettings> = {}): Rig {
  const path = join(t.testdir(), 'queries.log')
  const errors: string[] = []
  const logger = {
    ...silentLogger,
    error: (fields: object, message: string): void =>
      void errors.push(`${message} ${JSON.stringify(fields)}`),
  }
  const clock = { monotonicMs: () => made.nowMs, wallMs: () => 0 }
  const defaults = { path, every: 1, rotateBytes: 0, rotateMs: 0, rotateMaxFiles: 2 }
  const log = new QueryLog({ ...defaults, ...settings }, { logger, clock })
  const made: Rig = {
    log,
    path,
    errors,
    nowMs: 0,
    text: () => readFileSync(path, 'utf8'),
    write: (text) => {
      const fits = log.budget.take(text.length, text.split('\n').length - 1)
      if (fits) log.take(text)
      return fits
    },
  }
  t.teardown(() => log.close())
  return made
}

const written = (rig: Rig, lines: number): Promise<boolean> =>
  until(`${lines} lines`, 10_000, () => rig.log.figures?.lines === lines)

t.test('lines are appended in order, and a stop writes what waits', async (t) => {
  const made = rig(t)
  for (let n = 0; n < 100; n++) made.write(`{"n":${n}}\n`)
  await made.log.close()
  const expected = Array.from({ length: 100 }, (_, n) => `{"n":${n}}\n`).join('')
  t.equal(made.text(), expected)
  t.strictSame(made.log.figures, { lines: 100, dropped: 0, isFailing: false })
})

t.test('a file that is large is rotated, and only the newest are kept', async (t) => {
  const made = rig(t, { rotateBytes: 100 })
  for (let n = 1; n <= 5; n++) {
    made.write(`${'x'.repeat(120)}\n`)
    await written(made, n)
  }
  const files = (): readonly string[] => readdirSync(dirname(made.path))
  await until('the oldest are removed', 10_000, () => files().length === 2)
  for (const name of files()) t.match(name, /^queries\.log\.19700101T/)
})

t.test('after another program has moved the file, lines go to a new one', async (t) => {
  const made = rig(t)
  made.write('{"n":1}\n')
  await written(made, 1)
  renameSync(made.path, `${made.path}.1`)
  made.log.reopen()
  made.write('{"n":2}\n')
  await written(made, 2)
  t.equal(made.text(), '{"n":2}\n')
  t.equal(readFileSync(`${made.path}.1`, 'utf8'), '{"n":1}\n')
})

t.test('while the file cannot be written, lines are dropped, and it is tried again', async (t) => {
  const made = rig(t)
  mkdirSync(made.path)
  made.write('{"n":1}\n')
  await until('it fails', 10_000, () => made.log.figures?.isFailing === true)
  made.write('{"n":2}\n{"n":3}\n')
  await until('lines are counted', 10_000, () => made.log.figures?.dropped === 3)
  t.equal(made.errors.length, 1, 'the reason is logged once')
  t.match(made.errors[0], /^cannot write the query log.*EISDIR/)
  rmdirSync(made.path)
  made.nowMs += 1000
  made.write('{"n":4}\n')
  await written(made, 1)
  t.equal(made.text(), '{"n":4}\n')
  t.equal(made.log.figures?.isFailing, false)
})

t.test('lines beyond the budget are dropped, and a line says how many', async (t) => {
  const made = rig(t)
  const line = `${'x'.repeat(1024 * 1024 - 1)}\n`
  const taken = Array.from({ length: 10 }, () => made.write(line)).filter((fits) => fits).length
  t.equal(taken, 4, 'what does not fit is refused at once')
  await written(made, 4)
  t.ok(made.write('{"last":true}\n'), 'there is room again')
  await written(made, 5)
  const rest = made
    .text()
    .split('\n')
    .filter((each) => !each.startsWith('x') && each !== '')
  t.strictSame(rest, ['{"time":"1970-01-01T00:00:00.000Z","dropped":6}', '{"last":true}'])
  t.equal(made.log.figures?.dropped, 6)
})

t.test('a new configuration moves the log, or turns it off', async (t) => {
  const made = rig(t)
  made.write('{"n":1}\n')
  await written(made, 1)
  const path = `${made.path}.other`
  made.log.use({ path, every: 5, rotateBytes: 0, rotateMs: 0, rotateMaxFiles: 0 })
  t.equal(made.log.every, 5)
  made.write('{"n":2}\n')
  await written(made, 2)
  t.equal(readFileSync(path, 'utf8'), '{"n":2}\n')
  made.log.use(undefined)
  t.equal(made.log.every, 0)
  t.equal(made.log.figures, undefined)
})

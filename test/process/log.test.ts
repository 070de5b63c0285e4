import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { HeldLines } from '../../src/cli/held-lines.ts'
import { AgentLog } from '../../src/process/log.ts'
import { StallNotice } from '../../src/process/stall-notice.ts'

t.test('each follower gets the levels and the form that it asked for', async (t) => {
  const [output, people, programs] = [[], [], []] as [string[], string[], string[]]
  const log = new AgentLog({ level: 'warn', write: (line) => output.push(line) })
  const unfollow = [
    log.follow({ level: 'debug', write: (line) => people.push(line) }),
    log.follow({ level: 'info', json: true, write: (line) => programs.push(line) }),
  ]
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log.logger[level]({}, level)
  for (const end of unfollow) end()
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log.logger[level]({}, level)
  const levels = (lines: readonly string[]) => lines.map((line) => /(\w+)"?\}?\n$/.exec(line)?.[1])
  t.strictSame(levels(output), ['warn', 'error', 'warn', 'error'])
  t.strictSame(levels(people), ['debug', 'info', 'warn', 'error'])
  t.strictSame(levels(programs), ['info', 'warn', 'error'])
  t.match(JSON.parse(programs[0] ?? ''), { level: 30, msg: 'info' })
  t.strictSame(
    log.recent(),
    output.map((line) => line.trimEnd()),
  )
})

t.test('an error is a line with its text, and with its place if it is a defect', async (t) => {
  const output: string[] = []
  const log = new AgentLog({ level: 'info', write: (line) => output.push(line) })
  log.logger.error({ err: svcdError('no-leader', {}) }, 'expected')
  log.logger.error({ err: new TypeError('x is not a function') }, 'a defect')
  log.logger.info({ err: new Error('busy') }, 'passing')
  t.match(output, [
    / expected: error="No cluster leader[^]*"\n$/,
    / a defect: error="x is not a function" stack="TypeError: [^\n]*log\.test\.[^\n]*"\n$/,
    / passing: error=busy\n$/,
  ])
  t.notMatch(output[0], /stack=/)
})

t.test('what nobody takes is not put together', async (t) => {
  const log = new AgentLog({ level: 'info', write: () => {} })
  let looked = 0
  const fields = {
    get costly() {
      return ++looked
    },
  }
  log.logger.debug(fields, 'x')
  t.equal(looked, 0)
  const unfollow = log.follow({ level: 'debug', write: () => {} })
  log.logger.debug(fields, 'x')
  unfollow()
  log.logger.debug(fields, 'x')
  t.equal(looked, 1)
})

t.test('lines wait until the banner was printed, and come with it in one piece', async (t) => {
  const out: string[] = []
  const held = new HeldLines((text) => out.push(text), 60_000)
  held.add('one\n')
  held.add('two\n')
  t.strictSame(out, [])
  held.release('banner\n')
  held.add('three\n')
  t.strictSame(out, ['banner\none\ntwo\n', 'three\n'])
})

t.test('lines do not wait behind an error, a flood, or a start that takes long', async (t) => {
  const out: string[] = []
  const error = new HeldLines((text) => out.push(text), 60_000)
  error.add('2026-01-02T03:04:05.678Z [INFO]  a\n')
  error.add('2026-01-02T03:04:05.678Z [ERROR] b\n')
  t.match(out.splice(0).join(''), / a\n.* b\n/)
  error.release('banner\n')
  t.strictSame(out.splice(0), ['banner\n'])

  const flood = new HeldLines((text) => out.push(text), 60_000)
  for (let n = 0; n <= 1000; n++) flood.add(`${n}\n`)
  t.equal(out.splice(0).join('').split('\n').length, 1002)

  const late = new HeldLines((text) => out.push(text), 1)
  late.add('late\n')
  await new Promise((resolve) => setTimeout(resolve, 2))
  t.strictSame(out, ['late\n'])
})

t.test('what waits when the process ends is printed', async (t) => {
  const out: string[] = []
  const listeners = process.listenerCount('exit')
  const held = new HeldLines((text) => out.push(text), 60_000)
  held.add('one\n')
  const [listener] = process.listeners('exit').slice(-1)
  listener?.(1)
  t.strictSame(out, ['one\n'])
  t.equal(process.listenerCount('exit'), listeners)
})

t.test('stalls from 1 s on are said once a minute, with their number and the worst', async (t) => {
  const said: { fields: object; text: string }[] = []
  let nowMs = 0
  const warn = (fields: object, text: string): void => void said.push({ fields, text })
  const none = (): void => {}
  const logger = { debug: none, info: none, error: none, warn }
  const stalls = new StallNotice({ logger, nowMs: () => nowMs, thread: 'replica' })
  const at = (ms: number, stalledMs?: number): string[] => {
    nowMs = ms
    if (stalledMs !== undefined) stalls.note(stalledMs)
    stalls.check()
    return said.splice(0).map(({ text }) => text)
  }
  t.strictSame(at(0, 225), [], 'nobody notices a short one')
  t.strictSame(at(0, 999), [])
  t.strictSame(at(1000, 1225.4), [
    'event loop blocked for 1225 ms (machine overloaded, or process suspended)',
  ])
  t.strictSame([at(2000, 1500), at(30_000, 4000), at(60_999, 2000)].flat(), [])
  t.strictSame(at(61_000), [
    'event loop blocked 3 times, at worst for 4000 ms (machine overloaded, or process suspended)',
  ])
  t.strictSame(at(200_000), [], 'and nothing when there was none')
  nowMs = 300_000
  stalls.note(1000)
  t.match(said, [{ fields: { thread: 'replica', times: 1, worstMs: 1000 } }])
})

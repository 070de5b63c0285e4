import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { probeScript } from '../../src/probes/script.ts'
import type { ProbeResult } from '../../src/probes/result.ts'
import { living } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'

function sh(script: string, timeoutMs = 20_000, signal?: AbortSignal): Promise<ProbeResult> {
  return probeScript({ args: ['sh', '-c', script], timeoutMs }, signal)
}

const linux = { skip: existsSync('/proc/self/stat') ? false : 'needs /proc' }

t.test('the exit code decides, and both outputs are kept', async (t) => {
  const cases = [
    ['echo fine', 'passing', 'fine\n'],
    ['echo so so >&2; exit 1', 'warning', 'so so\n'],
    ['echo bad; exit 2', 'critical', 'bad\n'],
    ['exit 255', 'critical', ''],
    ['kill -SEGV $$', 'critical', 'killed by SIGSEGV'],
  ] as const
  for (const [script, status, output] of cases) {
    t.strictSame(await sh(script), { status, output, evidence: 'proof' }, script)
  }
})

t.test('no shell comes between, and the agent is not what a script reads from', async (t) => {
  const args = ['printf', '%s|', 'a b', '$HOME', '*']
  t.match(await probeScript({ args, timeoutMs: 9000 }), { output: 'a b|$HOME|*|' })
  t.match(await sh('cat; echo end'), { status: 'passing', output: 'end\n' })
})

t.test('a command that cannot be started is critical, with the reason', async (t) => {
  const file = join(t.testdir({ plain: 'x' }), 'plain')
  t.match(await probeScript({ args: ['/no/such'], timeoutMs: 9000 }), {
    status: 'critical',
    output: 'script /no/such: command not found',
    evidence: 'proof',
  })
  t.match(await probeScript({ args: [file], timeoutMs: 9000 }), {
    status: 'critical',
    output: /EACCES/,
  })
})

t.test('400 MB of output are read to the end, and the last 4 KiB kept', async (t) => {
  const before = process.memoryUsage().rss
  let most = 0
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10)
  const result = await sh('head -c 400000000 /dev/zero | tr "\\0" x; echo; echo é the end', 120_000)
  clearInterval(watch)
  t.match(result, {
    status: 'passing',
    output: /^Captured the last bytes of 400000\d{3}\n\.\.\.\nx/,
  })
  t.ok(result.output.endsWith('x\né the end\n'))
  t.ok(Buffer.byteLength(result.output) <= 4096)
  const grownMb = Math.round((most - before) / 1e6)
  // What the collector lets lie meanwhile is up to it: some 30 to 70 MB, however much is read.
  t.ok(grownMb < 150, `memory grew by ${grownMb} MB`)
})

t.test('at the time-out all that it started is killed, whatever it ignores', linux, async (t) => {
  const word = `31${process.pid}.5`
  const script = `trap "" TERM HUP; echo begun
    (trap "" TERM; sleep ${word}) & (setsid sh -c 'trap "" TERM; sleep ${word} & sleep ${word}' &)
    sleep ${word}`
  const running = sh(script, 1500)
  await until('it has forked', 10_000, () => living(word).length >= 4)
  t.strictSame(await running, {
    status: 'critical',
    output: 'Timed out (1.5s) running check\n\nbegun\n',
    evidence: 'absence',
  })
  t.strictSame(living(word), [])
})

t.test('what stays behind when it ends by itself is killed', linux, async (t) => {
  const word = `32${process.pid}.5`
  const startedMs = performance.now()
  t.match(await sh(`sleep ${word} & sleep ${word} >/dev/null 2>&1 & echo ok`), {
    status: 'passing',
    output: 'ok\n',
  })
  t.ok(performance.now() - startedMs < 10_000, 'it was not waited for')
  await until('nothing is left', 5000, () => living(word).length === 0)
})

t.test('an abort kills it and says nothing of the service', linux, async (t) => {
  const word = `33${process.pid}.5`
  const abort = new AbortController()
  const running = sh(`sleep ${word} & sleep ${word}`, 60_000, abort.signal)
  await until('it runs', 10_000, () => living(word).length > 1)
  abort.abort()
  t.match(await running, { evidence: 'none' })
  t.strictSame(living(word), [])
})

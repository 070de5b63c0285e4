import t, { type Test } from 'tap'
import { run } from '../../src/cli/run.ts'
import { TestApi } from '../api/support.ts'
import { until } from '../helpers/until.ts'

/** `svcd monitor` while it runs. */
class Monitor {
  out = ''
  err = ''
  interrupt = (): void => {}
  readonly ended: Promise<number>

  constructor(address: string, ...words: readonly string[]) {
    this.ended = run(['monitor', ...words], {
      out: (text) => void (this.out += text),
      err: (text) => void (this.err += text),
      onInterrupt: (stop) => (this.interrupt = stop),
      env: { SVCD_HTTP_ADDR: address },
      readText: async () => '',
    })
  }
}

async function start(t: Test, ...words: readonly string[]) {
  const api = new TestApi(t, { heartbeatMs: 10 })
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' })
  const monitor = new Monitor(address, ...words)
  t.teardown(() => monitor.interrupt())
  await until('it follows', 10_000, () => api.backend.followed === 1)
  return { api, monitor, logger: api.backend.log.logger }
}

t.test('monitor prints the log as it is written, and Ctrl-C ends it', async (t) => {
  const { monitor, logger } = await start(t)
  logger.debug({}, 'hidden')
  logger.info({}, 'shown')
  await until('the line', 5000, () => monitor.out !== '')
  t.match(monitor.out, /^\S+ \[INFO\] {2}shown\n$/, 'and no empty line')
  monitor.interrupt()
  t.strictSame([await monitor.ended, monitor.err], [0, ''])
})

t.test('monitor ends when the agent stops, with all that it has said', async (t) => {
  const { api, monitor, logger } = await start(t, '-log-level', 'debug', '-log-json')
  logger.debug({ key: 1 }, 'last')
  await api.app.close()
  t.equal(await monitor.ended, 0)
  t.match(JSON.parse(monitor.out), { level: 20, key: 1, msg: 'last' })
  t.match(monitor.err, 'svcd: The agent closed the log stream. It has stopped or crashed.\n')
})

t.test('monitor says what is wrong: no agent, or an unknown level', async (t) => {
  const { api } = await start(t)
  const address = `http://127.0.0.1:${(api.app.server.address() as { port: number }).port}`
  const level = new Monitor(address, '-log-level=loud')
  t.equal(await level.ended, 1)
  t.match(level.err, /Unknown log level: loud\. Use trace, debug, info, warn or error\./)
  const nobody = new Monitor('http://127.0.0.1:1')
  t.equal(await nobody.ended, 2)
  t.match(nobody.err, /^svcd: No agent answers/)
})

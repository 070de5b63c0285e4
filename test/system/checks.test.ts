import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { living } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'

interface CheckJson {
  readonly Status: string
  readonly Output: string
  readonly ModifyIndex: number
}

const linux = existsSync('/proc/self/stat') ? false : 'needs /proc'

async function checksOf(agent: AgentProcess): Promise<Readonly<Record<string, CheckJson>>> {
  return agent.get<Record<string, CheckJson>>('agent/checks')
}

t.test(
  'a script check that forks and ignores SIGTERM leaves no process behind',
  { skip: linux },
  async (t) => {
    const word = `41${process.pid}.5`
    const agent = await AgentProcess.start({ args: ['-dev', '-enable-script-checks'] })
    t.teardown(() => agent.stop())
    const script = `trap "" TERM; (trap "" TERM; sleep ${word}) &
      (setsid sh -c 'trap "" TERM; sleep ${word}' &) ; echo forked; sleep ${word}`
    const check = { Name: 'hang', Args: ['sh', '-c', script], Interval: '1h', Timeout: '1s' }
    t.equal((await agent.put('agent/check/register', check)).status, 200)
    await until('it has forked', 15_000, () => living(word).length >= 3)
    const output = 'Timed out (1s) running check\n\nforked\n'
    await until(
      'it is killed',
      20_000,
      async () => (await checksOf(agent))['hang']?.Output === output,
    )
    t.strictSame(living(word), [], 'at the time-out')

    const slow = { ...check, Name: 'slow', Timeout: '1h' }
    t.equal((await agent.put('agent/check/register', slow)).status, 200)
    await until('it has forked', 15_000, () => living(word).length >= 3)
    await agent.stop()
    t.strictSame(living(word), [], 'when the agent stops')
  },
)

t.test('files, reload, and a kill -9 that flaps nothing', async (t) => {
  const root = t.testdir({ data: {}, conf: {} })
  const conf = join(root, 'conf')
  const put = (name: string, content: object | string): void => {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(join(root, 'part'), text)
    renameSync(join(root, 'part'), join(conf, name))
  }
  put('options.json', { node_name: 'files', log_level: 'info' })
  const tcp = { name: 'web', port: 80, check: { id: 'beat', ttl: '60s' } }
  put('web.json', { service: tcp })
  put('broken.json', '{\n  "service": {"name": }\n}')
  const args = ['-server', '-data-dir', join(root, 'data'), '-config-dir', conf, '-bind=127.0.0.1']
  const first = await AgentProcess.start({ args })
  t.teardown(() => first.stop())
  t.match(first.output, /broken\.json:2:23: expected a value, found/)
  t.match(await first.get('agent/self'), { Config: { NodeName: 'files' } })
  const services = async (agent: AgentProcess): Promise<string[]> =>
    Object.keys(await agent.get<object>('agent/services')).toSorted()
  t.strictSame(await services(first), ['web'])

  put('broken.json', { services: [{ name: 'api' }], check: { name: 'node', ttl: '60s' } })
  t.equal((await first.put('agent/reload')).status, 200)
  t.strictSame(await services(first), ['api', 'web'])
  put('broken.json', {})
  await first.signal('SIGHUP', 'reloaded definition and zone files')
  t.strictSame(await services(first), ['web'])
  t.match(first.output, /removing a service: no file defines it any more/)

  t.equal((await first.put('agent/check/pass/beat?note=fine')).status, 200)
  t.equal((await first.put('agent/service/register', { Name: 'over-http' })).status, 200)
  const health = 'health/checks/web'
  const [before] = await first.get<CheckJson[]>(health)
  t.match(before, { Status: 'passing', Output: 'fine' })
  await first.kill()
  const second = await AgentProcess.start({ args })
  t.teardown(() => second.stop())
  await until('it leads', 15_000, async () => (await second.get<string>('status/leader')) !== '')
  t.strictSame(await services(second), ['over-http', 'web'])
  t.match((await checksOf(second))['beat'], { Status: 'passing', Output: 'fine' })
  const [after] = await second.get<CheckJson[]>(health)
  t.strictSame(after, before, 'the catalog was told nothing')
})

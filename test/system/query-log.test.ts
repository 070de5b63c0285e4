import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ask } from '../../src/net/dns-client.ts'
import { AgentProcess, runSvcd } from '../helpers/agent-process.ts'
import { until } from '../helpers/until.ts'

interface Line {
  readonly name?: string
  readonly dropped?: number
}

function namesIn(path: string): readonly string[] {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => (JSON.parse(line) as Line).name ?? '')
}

async function query(agent: AgentProcess, name: string): Promise<void> {
  await ask({ address: '127.0.0.1', port: agent.dnsPort }, name, 'A', { timeoutMs: 10_000 })
}

const has = (path: string, name: string): Promise<boolean> =>
  until(`${name} in the log`, 20_000, () => namesIn(path).includes(name))

t.test('the query log follows the configuration, and a file that was moved', async (t) => {
  const directory = t.testdir()
  const config = join(directory, 'svcd.json')
  const path = join(directory, 'queries.log')
  const write = (file: string): void =>
    writeFileSync(config, JSON.stringify({ dns_config: { query_log: { file } } }))
  write(path)
  const agent = await AgentProcess.start({ args: ['-dev', `-config-file=${config}`] })
  t.teardown(() => agent.stop())
  await query(agent, 'one.service.consul')
  await has(path, 'one.service.consul.')

  renameSync(path, `${path}.1`)
  await agent.signal('SIGHUP', 'reloaded definition and zone files')
  await query(agent, 'two.service.consul')
  await has(path, 'two.service.consul.')
  t.notOk(namesIn(path).includes('one.service.consul.'))

  write(`${path}.new`)
  const reloaded = await runSvcd(agent.httpUrl, 'reload')
  t.match(reloaded, { code: 0, out: /dns_config\.query_log\.file: changed/ })
  await query(agent, 'three.service.consul')
  await has(`${path}.new`, 'three.service.consul.')
  t.notOk(namesIn(path).includes('three.service.consul.'))

  const metrics = await (await fetch(`${agent.httpUrl}/metrics`)).text()
  t.match(metrics, /^svcd_dns_query_log_lines_total 3$/m)
  t.match(metrics, /^svcd_dns_query_log_dropped_total 0$/m)
})

t.test('the query log goes to standard output, between the lines of the log', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-dns-query-log=-'] })
  t.teardown(() => agent.stop())
  const said = agent.until('"name":"web.service.consul."')
  await query(agent, 'web.service.consul')
  await said
  const line = agent.output.split('\n').find((each) => each.includes('"name":'))
  t.match(JSON.parse(line ?? ''), { transport: 'udp', client: '127.0.0.1', rcode: 'NXDOMAIN' })
})

t.test('svcd top shows what a real agent is asked', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev'] })
  t.teardown(() => agent.stop())
  const first = runSvcd(agent.httpUrl, 'top')
  let isOver = false
  void first.finally(() => (isOver = true))
  await until('the table is there', 20_000, async () => {
    await query(agent, 'consul.service.consul')
    await query(agent, 'gone.service.consul')
    return isOver
  })
  const { code, out } = await first
  t.equal(code, 0, out)
  t.match(out, /^\d+\.\d +consul\.service\.consul\.$/m)
  t.match(out, /Name that does not exist\n\d+\.\d +gone\.service\.consul\.$/m)
  t.match(out, /Client\n\d+\.\d +127\.0\.0\.1$/m)
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { DnsAsker } from '../helpers/dns-asker.ts'
import { until } from '../helpers/until.ts'

// Access control after a restart, and after a restore.

const root = 'b1c6a9a0-52f8-4d6d-9a55-1f1de6f6b001'
const dns = 'b1c6a9a0-52f8-4d6d-9a55-1f1de6f6b002'

type Body = string | Uint8Array<ArrayBuffer> | object

/** A request with a token; the answer as JSON. */
async function ask(
  agent: AgentProcess,
  method: string,
  path: string,
  token: string,
  body?: Body,
): Promise<{ readonly status: number; readonly bytes: Uint8Array<ArrayBuffer> }> {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(`${agent.httpUrl}/v1/${path}`, {
    method,
    headers: token === '' ? {} : { 'x-consul-token': token },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  })
  return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) }
}

/** Writes a file of options, and gives the arguments of an agent that keeps its data. */
function argumentsIn(directory: string, acl: object): readonly string[] {
  const file = join(directory, 'acl.json')
  writeFileSync(file, JSON.stringify({ acl }))
  const data = `-data-dir=${join(directory, 'data')}`
  return ['-server', '-node=n1', '-bootstrap-expect=1', data, `-config-file=${file}`]
}

const rules =
  'service "web" { policy = "read" } node_prefix "" { policy = "read" } query_prefix "" { policy = "read" }'

t.test('DNS opens with the rights of its token after a restart', async (t) => {
  const acl = { enabled: true, default_policy: 'deny' }
  const tokens = { initial_management: root, dns }
  const args = argumentsIn(t.testdir(), { ...acl, tokens })
  const first = await AgentProcess.start({ args })
  t.teardown(() => first.kill())
  await until('the first token', 20_000, async () => {
    return (await ask(first, 'GET', 'acl/token/self', root)).status === 200
  })
  for (const [path, body] of [
    ['acl/policy', { Name: 'dns', Rules: rules }],
    ['acl/token', { SecretID: dns, Policies: [{ Name: 'dns' }] }],
    ['agent/service/register', { Name: 'web', Address: '10.0.0.1', Port: 80 }],
    ['agent/service/register', { Name: 'secret', Address: '10.0.0.2', Port: 80 }],
  ] as const) {
    t.equal((await ask(first, 'PUT', path, root, body)).status, 200, path)
  }
  await first.stop()
  const second = await AgentProcess.start({ args })
  t.teardown(() => second.kill())
  // The first two packets that it ever gets.
  const asker = await DnsAsker.open(t, second.dnsPort)
  const [seen, hidden] = await Promise.all([
    asker.ask('web.service.consul'),
    asker.ask('secret.service.consul'),
  ])
  t.strictSame(
    seen.answer.map(({ data }) => data),
    ['10.0.0.1'],
  )
  t.strictSame(hidden.answer, [])
  t.notMatch(second.output, 'the token of DNS does not exist')
})

t.test('the first token is there again after a restore of a snapshot without it', async (t) => {
  const directory = t.testdir()
  const open = await AgentProcess.start({ args: argumentsIn(directory, {}) })
  t.teardown(() => open.kill())
  t.equal((await ask(open, 'PUT', 'kv/before', '', 'x')).status, 200)
  const { bytes: snapshot } = await ask(open, 'GET', 'snapshot', '')
  await open.stop()
  const acl = { enabled: true, default_policy: 'deny', tokens: { initial_management: root } }
  const agent = await AgentProcess.start({ args: argumentsIn(directory, acl) })
  t.teardown(() => agent.kill())
  const isThere = async (): Promise<boolean> =>
    (await ask(agent, 'GET', 'acl/token/self', root)).status === 200
  await until('the first token', 20_000, isThere)
  t.equal((await ask(agent, 'PUT', 'kv/after', root, 'x')).status, 200)
  const before = agent.output.length
  t.equal((await ask(agent, 'PUT', 'snapshot', root, snapshot)).status, 200)
  await agent.until('created the token of acl.tokens.initial_management', before)
  await until('the first token again', 20_000, isThere)
  t.equal((await ask(agent, 'GET', 'kv/before', root)).status, 200)
  t.equal((await ask(agent, 'GET', 'kv/after', root)).status, 404, 'the snapshot was restored')
})

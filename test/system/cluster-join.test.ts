import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { until } from '../helpers/until.ts'

// agent/join and agent/leave as Consul's clients call them.

interface Server {
  readonly agent: AgentProcess
  readonly address: string
}

async function start(t: Test, name: string, args: readonly string[]): Promise<Server> {
  const [port] = await freePorts(1)
  const agent = await AgentProcess.start({
    args: [
      '-server',
      `-node=${name}`,
      `-data-dir=${join(t.testdirName, name)}`,
      '-bind=127.0.0.1',
      `-server-port=${port}`,
      '-log-level=warn',
      ...args,
    ],
  })
  t.teardown(() => agent.stop())
  return { agent, address: `127.0.0.1:${port}` }
}

async function put({ agent }: Server, path: string, body?: object): Promise<Response> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  return fetch(`${agent.httpUrl}/v1/${path}`, { method: 'PUT', ...sent })
}

async function get<T>({ agent }: Server, path: string): Promise<T> {
  return (await (await fetch(`${agent.httpUrl}/v1/${path}`)).json()) as T
}

t.test('who is told that it has joined knows the name of each member', async (t) => {
  t.testdir()
  const one = await start(t, 'n1', ['-bootstrap-expect=1'])
  const self = await put(one, `agent/join/${one.address}`)
  t.strictSame([self.status, await self.text()], [200, ''], 'it is with itself')
  const two = await start(t, 'n2', ['-bootstrap-expect=0', '-retry-join=127.0.0.1:1'])
  t.equal((await put(two, 'agent/join/127.0.0.1:1')).status, 500, 'where nobody is')
  const id = (await get<{ Config: { NodeID: string } }>(two, 'agent/self')).Config.NodeID
  await put(one, `operator/raft/peer?id=${id}&address=${two.address}`)
  const joined = await put(two, `agent/join/${one.address}`)
  t.strictSame([joined.status, await joined.text()], [200, ''])
  const members = await get<readonly { Name: string }[]>(two, 'agent/members')
  t.strictSame(members.map(({ Name }) => Name).toSorted(), ['n1', 'n2'])
  const nodes = await get<readonly { Meta: Record<string, string> }[]>(two, 'catalog/nodes')
  for (const { Meta } of nodes) t.strictSame(Meta, { 'consul-network-segment': '' })
})

t.test('a lone server that leaves stops, and is what it was when it comes back', async (t) => {
  t.testdir()
  const one = await start(t, 'n1', ['-bootstrap-expect=1'])
  t.equal((await put(one, 'agent/service/register', { Name: 'web', Port: 80 })).status, 200)
  const left = await put(one, 'agent/leave')
  t.strictSame([left.status, await left.text()], [200, ''])
  t.equal(await one.agent.exited, 0)
  const again = await start(t, 'n1', ['-bootstrap-expect=1'])
  await until('it leads', 10_000, async () => (await get<string>(again, 'status/leader')) !== '')
  const rows = await get<readonly { ServicePort: number }[]>(again, 'catalog/service/web')
  t.strictSame(
    rows.map(({ ServicePort }) => ServicePort),
    [80],
  )
})

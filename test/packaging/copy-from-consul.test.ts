import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'

// packaging/consul/copy-from-consul.mjs, which users run while they move. An agent stands for Consul: both
// speak the same API.

const script = fileURLToPath(
  new URL('../../packaging/consul/copy-from-consul.mjs', import.meta.url),
)

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function copy(...words: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...words], { timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err })
    })
  })
}

interface Entry {
  readonly Node: { readonly Node: string; readonly Address: string }
  readonly Service: { readonly ID: string; readonly Port: number; readonly Tags: readonly string[] }
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[]
}

class Pair {
  readonly consul: AgentProcess
  readonly svcd: AgentProcess

  constructor(consul: AgentProcess, svcd: AgentProcess) {
    this.consul = consul
    this.svcd = svcd
  }

  static async start(t: Test): Promise<Pair> {
    const start = async (name: string): Promise<AgentProcess> => {
      const agent = await AgentProcess.start({ args: ['-dev', `-node=${name}`, '-log-level=warn'] })
      t.teardown(() => agent.stop())
      return agent
    }
    return new Pair(...(await Promise.all([start('c1'), start('s1')])))
  }

  copy(...words: readonly string[]): Promise<Ran> {
    return copy('--from', this.consul.httpUrl, '--to', this.svcd.httpUrl, ...words)
  }

  /** The instances of a service with svcd: `node id port status`. */
  async instances(name: string): Promise<readonly string[]> {
    const entries = await this.svcd.get<readonly Entry[]>(`health/service/${name}`)
    return entries
      .map(({ Node, Service, Checks }) => {
        const worst = Checks.some(({ Status }) => Status === 'critical') ? 'critical' : 'passing'
        return `${Node.Node} ${Service.ID} ${Service.Port} ${worst}`
      })
      .toSorted()
  }

  async register(node: string, id: string, status: string): Promise<void> {
    const number = Number(node.slice(-1))
    await this.consul.put('catalog/register', {
      Node: node,
      Address: `10.0.0.${number}`,
      NodeMeta: { rack: 'a1' },
      Service: { Service: 'web', ID: id, Port: 8080, Tags: ['v1'], Meta: { version: '2' } },
      Checks: [{ CheckID: `service:${id}`, Name: 'http', Status: status, ServiceID: id }],
    })
  }
}

t.test('a copy has the nodes, services and checks, and follows them', async (t) => {
  const pair = await Pair.start(t)
  await pair.register('app1', 'web', 'passing')
  await pair.register('app2', 'web', 'critical')
  const first = await pair.copy()
  t.strictSame([first.code, first.err], [0, ''])
  t.strictSame(await pair.instances('web'), ['app1 web 8080 passing', 'app2 web 8080 critical'])
  t.match(await pair.svcd.get('catalog/node/app1'), {
    Node: { Address: '10.0.0.1', Meta: { rack: 'a1', 'copied-from': 'consul' } },
    Services: { web: { Tags: ['v1'], Meta: { version: '2', 'copied-from': 'consul' } } },
  })
  const servers = await pair.svcd.get<readonly unknown[]>('catalog/service/consul')
  t.equal(servers.length, 1, 'the servers of Consul are not servers here')

  await pair.register('app2', 'web', 'passing')
  await pair.consul.put('catalog/deregister', { Node: 'app1', ServiceID: 'web' })
  await pair.register('app3', 'web', 'passing')
  t.equal((await pair.copy()).code, 0)
  t.strictSame(await pair.instances('web'), ['app2 web 8080 passing', 'app3 web 8080 passing'])
  t.match(await pair.svcd.get('catalog/node/app1'), { Services: {} }, 'the node is still there')

  await pair.consul.put('catalog/deregister', { Node: 'app1' })
  await pair.consul.put('catalog/deregister', { Node: 'app2', CheckID: 'service:web' })
  t.equal((await pair.copy()).code, 0)
  t.equal(await pair.svcd.get('catalog/node/app1'), null)
  t.strictSame(await pair.svcd.get('health/node/app2'), [])
})

t.test(
  'an instance that svcd has itself replaces its copy once it is healthy, and stays',
  async (t) => {
    const pair = await Pair.start(t)
    await pair.register('app1', 'web', 'passing')
    await pair.register('app2', 'web', 'passing')
    await pair.copy()
    const own = { Name: 'web', ID: 'web-app1', Address: '10.0.0.1', Port: 8080 }
    await pair.svcd.put('agent/service/register', { ...own, Check: { TTL: '1h' } })
    t.equal((await pair.copy()).code, 0)
    const [copied, other] = ['app1 web 8080 passing', 'app2 web 8080 passing']
    const isCritical = 's1 web-app1 8080 critical'
    t.strictSame(await pair.instances('web'), [copied, other, isCritical], 'not before')
    await pair.svcd.put('agent/check/pass/service:web-app1')
    t.equal((await pair.copy()).code, 0)
    t.strictSame(await pair.instances('web'), [other, 's1 web-app1 8080 passing'])
    await pair.svcd.put('agent/check/fail/service:web-app1')
    t.equal((await pair.copy()).code, 0)
    t.strictSame(
      await pair.instances('web'),
      [other, isCritical],
      'its own check decides from now on',
    )
    await pair.svcd.put('agent/check/pass/service:web-app1')

    const removed = await pair.copy('--remove')
    t.equal(removed.code, 0)
    t.match((await pair.copy('--remove')).out, / copied: 0, removed: 0, failed: 0\n$/)
    t.strictSame(await pair.instances('web'), ['s1 web-app1 8080 passing'])
    const nodes = await pair.svcd.get<readonly { readonly Node: string }[]>('catalog/nodes')
    t.strictSame(
      nodes.map(({ Node }) => Node),
      ['s1'],
    )
  },
)

t.test('nothing is removed while Consul cannot be read', async (t) => {
  const pair = await Pair.start(t)
  await pair.register('app1', 'web', 'passing')
  await pair.copy()
  await pair.consul.stop()
  const ran = await pair.copy()
  t.not(ran.code, 0)
  t.match(ran.err, `${pair.consul.httpUrl} does not answer: connect ECONNREFUSED`)
  t.strictSame(await pair.instances('web'), ['app1 web 8080 passing'])
})

t.test('what is registered under the name of a server keeps the server as it is', async (t) => {
  const pair = await Pair.start(t)
  // A machine that runs a Consul agent and a server of svcd, both named after the host.
  await pair.register('s1', 'web', 'passing')
  const before = await pair.svcd.get<{ readonly Node: object }>('catalog/node/s1')
  t.equal((await pair.copy()).code, 0)
  t.strictSame(await pair.instances('web'), ['s1 web 8080 passing'])
  const after = await pair.svcd.get<{ readonly Node: object }>('catalog/node/s1')
  t.strictSame(after.Node, before.Node)
  await pair.copy('--remove')
  t.strictSame(await pair.instances('web'), [])
  t.match(await pair.svcd.get('catalog/node/s1'), { Services: { consul: {} } })
})

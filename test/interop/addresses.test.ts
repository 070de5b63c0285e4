import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing, notRoot } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'
import { noMmsg } from '../net/udp/paths.ts'

// One host with many addresses, asked by another: each answer leaves from the address that was asked.

const run = promisify(execFile)
const host = `svcd-host-${process.pid}`
const peer = `svcd-peer-${process.pid}`
const skip = missing('ip', 'dig', 'curl') || notRoot()

async function inside(namespace: string, ...command: readonly string[]): Promise<string> {
  return (await run('ip', ['netns', 'exec', namespace, ...command])).stdout
}

/**
 * Two hosts on a wire. Beside the address by which the host would send on its own accord it has
 * others on the same interface, and some on one that no packet from outside comes in by.
 */
async function twoHosts(t: Test): Promise<void> {
  for (const namespace of [host, peer]) {
    await run('ip', ['netns', 'add', namespace])
    t.teardown(() => run('ip', ['netns', 'delete', namespace]))
    await inside(namespace, 'ip', 'link', 'set', 'lo', 'up')
  }
  const wire = ['link', 'add', 'wire', 'netns', host, 'type', 'veth', 'peer', 'name', 'wire']
  await run('ip', [...wire, 'netns', peer])
  for (const address of ['10.77.0.1/24', '10.77.0.2/24', 'fd77::1/64', 'fd77::2/64', 'fe80::77/64'])
    await change('add', address)
  for (const address of ['10.78.0.1/24', 'fd78::1/64']) await change('add', address, 'lo')
  for (const address of ['10.77.0.9/24', 'fd77::9/64']) await change('add', address, 'wire', peer)
  for (const namespace of [host, peer]) await inside(namespace, 'ip', 'link', 'set', 'wire', 'up')
  await inside(peer, 'ip', 'route', 'add', '10.78.0.0/24', 'via', '10.77.0.1')
  await inside(peer, 'ip', '-6', 'route', 'add', 'fd78::/64', 'via', 'fd77::1')
}

async function change(
  action: 'add' | 'delete',
  address: string,
  link = 'wire',
  namespace = host,
): Promise<void> {
  const length = address.includes('/') ? '' : address.includes(':') ? '/64' : '/24'
  // Without duplicate address detection, so that an address holds at once.
  const flags = address.includes(':') && action === 'add' ? ['nodad'] : []
  await inside(namespace, 'ip', 'address', action, `${address}${length}`, 'dev', link, ...flags)
}

interface Ports {
  readonly dns: number
  readonly http: number
}

/** Which of the addresses answered what the other host asked each of them, by each transport. */
async function answering(ports: Ports, addresses: readonly string[]): Promise<readonly string[]> {
  const asked = every(...addresses).map(async (each) => {
    const [address = '', transport] = each.split(' ')
    const isAnswered =
      transport === 'HTTP'
        ? await answersHttp(address, ports.http)
        : await answersDns(address, ports.dns, transport === 'TCP' ? '+tcp' : '+notcp')
    return isAnswered ? [each] : []
  })
  return (await Promise.all(asked)).flat()
}

async function answersDns(address: string, port: number, how: string): Promise<boolean> {
  const question = [`@${address}`, '-p', String(port), 'n1.node.consul', 'A', how]
  // dig takes no answer from an address that it did not ask.
  const flags = ['+tries=1', '+time=2', '+noall', '+answer']
  const answer = await inside(peer, 'dig', ...question, ...flags).catch(() => '')
  return /^n1\.node\.consul\.\s/.test(answer)
}

async function answersHttp(address: string, port: number): Promise<boolean> {
  const host = address.includes(':') ? `[${address.replace('%', '%25')}]` : address
  const url = `http://${host}:${port}/v1/agent/self`
  const answer = await inside(peer, 'curl', '--silent', '--max-time', '2', url).catch(() => '')
  return answer.includes('"NodeName":"n1"')
}

const every = (...addresses: readonly string[]): readonly string[] =>
  addresses.flatMap((address) => [`${address} UDP`, `${address} TCP`, `${address} HTTP`])

const four = ['10.77.0.1', '10.77.0.2', '10.78.0.1']
const six = ['fd77::1', 'fd77::2', 'fd78::1']

/** Of `-client`. */
const cases: readonly { readonly client: string; readonly asked: readonly string[] }[] = [
  { client: '0.0.0.0', asked: four },
  { client: '::', asked: [...four, ...six] },
  { client: '0.0.0.0 :: 10.77.0.1', asked: [...four, ...six] },
  { client: '10.77.0.1 fd77::1', asked: ['10.77.0.1', 'fd77::1'] },
  {
    client: '10.77.0.2 10.78.0.1 fd77::2 127.0.0.1',
    asked: ['10.77.0.2', '10.78.0.1', 'fd77::2'],
  },
]
/** Come while the agents run: by the wildcards that stand for them. */
const later: Readonly<Record<string, readonly string[]>> = {
  '0.0.0.0': ['10.77.0.3'],
  '::': ['10.77.0.3', 'fd77::3'],
}

interface Listening {
  readonly client: string
  readonly asked: readonly string[]
  readonly ports: Ports
}

function startAll(t: Test, path: string): Promise<readonly Listening[]> {
  const flags = ['-dev', '-node=n1', '-log-level=warn', `-dns-udp=${path}`]
  return Promise.all(
    cases.map(async (each, at) => {
      // The host is this test's own: nobody else has its ports, where any free one of the first address
      // may be another agent's on the second.
      const first = (path === 'mmsg' ? 20_000 : 21_000) + at * 10
      const ports = ['http', 'dns', 'server'].map((name, n) => `-${name}-port=${first + n}`)
      const agent = await AgentProcess.start({
        wrapper: ['ip', 'netns', 'exec', host],
        args: [
          ...flags,
          ...ports,
          `-client=${each.client}`,
          ...(path === 'mmsg' ? ['-dns-threads=2'] : []),
        ],
      })
      t.teardown(() => agent.stop())
      return { ...each, ports: { dns: agent.dnsPort, http: agent.httpPort } }
    }),
  )
}

t.test('each answer leaves from the address that was asked', { skip }, async (t) => {
  await twoHosts(t)
  const paths = noMmsg === false ? ['mmsg', 'dgram'] : ['dgram']
  const started = await Promise.all(
    paths.map(async (path) => ({ path, agents: await startAll(t, path) })),
  )
  for (const { path, agents } of started) {
    await t.test(`by ${path}`, async (t) => {
      for (const { client, asked, ports } of agents) {
        t.strictSame(await answering(ports, asked), every(...asked), `-client '${client}'`)
      }
      // An address of the link, where no interface goes without saying.
      const all = agents.find(({ client }) => client === '::')
      if (path === 'mmsg') {
        const link = 'fe80::77%wire'
        t.strictSame(
          await answering(must(all).ports, [link]),
          every(link),
          'an address of the link',
        )
      }
    })
  }
  const wild = (path: string): readonly Listening[] =>
    started.find((each) => each.path === path)?.agents.filter(({ client }) => client in later) ?? []
  const answersLater = async ({ client, ports }: Listening): Promise<boolean> => {
    const added = later[client] ?? []
    return (await answering(ports, added)).length === every(...added).length
  }
  await t.test('addresses come while they run, go, and come back', async (t) => {
    for (const round of ['new', 'back']) {
      for (const address of later['::'] ?? []) await change('add', address)
      for (const agent of wild('mmsg')) {
        t.ok(await answersLater(agent), `${round}: by mmsg at once, -client ${agent.client}`)
      }
      if (round === 'new') {
        const found = wild('dgram').map((agent) =>
          until(`by dgram, -client ${agent.client}`, 10_000, () => answersLater(agent)),
        )
        await Promise.all(found)
      }
      for (const address of later['::'] ?? []) await change('delete', address)
      for (const { path, agents } of started) {
        for (const { client, asked, ports } of agents) {
          t.strictSame(await answering(ports, asked), every(...asked), `others: ${path}, ${client}`)
        }
      }
    }
  })
})

import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AgentProcess, runSvcd } from '../helpers/agent-process.ts'
import { ask } from '../../src/net/dns-client.ts'
import { until } from '../helpers/until.ts'

// A byte of state.db that changes on disk, as memory or a disk changes one: found, said, made good.

const address = '10.77.1.3'
/** As the row of the service holds it: its id, its name twice, its address. */
const written = Buffer.from(`webwebweb${address}`)
/** As the index that DNS reads holds it: its name, its node, its id, its address. */
const indexed = Buffer.from(`webextweb${address}`)

function agentIn(dataDirectory: string, ...args: readonly string[]): AgentProcess {
  return AgentProcess.spawn({
    args: ['-server', '-data-dir', dataDirectory, '-bootstrap-expect=1', ...args],
  })
}

async function register(agent: AgentProcess, port = 80): Promise<void> {
  const body = {
    Node: 'ext',
    Address: '10.77.1.2',
    Service: { Service: 'web', Address: address, Port: port },
  }
  const reply = await fetch(`${agent.httpUrl}/v1/catalog/register`, {
    method: 'PUT',
    body: JSON.stringify(body),
  })
  t.equal(reply.status, 200)
}

async function addressOf(agent: AgentProcess): Promise<string | undefined> {
  const reply = await fetch(`${agent.httpUrl}/v1/catalog/service/web?stale`)
  if (reply.status !== 200) return `status ${reply.status}`
  const rows = (await reply.json()) as { ServiceAddress: string }[]
  return rows[0]?.ServiceAddress
}

/** Where the octets are in a file. A page that was written again may leave them in one that is free now. */
function placesOf(path: string, octets: Buffer): readonly number[] {
  const bytes = readFileSync(path)
  const places: number[] = []
  for (let at = bytes.indexOf(octets); at !== -1; at = bytes.indexOf(octets, at + 1))
    places.push(at)
  return places
}

/** Changes one bit of the address; false while it is not in the file yet. */
function flip(path: string, octets = written): boolean {
  const places = placesOf(path, octets)
  const file = openSync(path, 'r+')
  // '3' becomes '2': a row that is as good as before, but for its content.
  for (const at of places) writeSync(file, Buffer.from('2'), 0, 1, at + octets.length - 1)
  closeSync(file)
  return places.length > 0
}

t.test(
  'a byte that changed in the state of a stopped server is found and made good at its start',
  async (t) => {
    const data = join(t.testdir(), 'data')
    const first = agentIn(data)
    await first.running
    await register(first)
    await first.stop()
    t.ok(flip(join(data, 'state.db')))
    const agent = agentIn(data)
    t.teardown(() => agent.stop())
    await agent.running
    await agent.until('rebuilt state.db')
    t.match(agent.output, /table services: its rows differ from the rows written/)
    await until('the right answer', 10_000, async () => (await addressOf(agent)) === address)
    await register(agent, 81)
    t.equal(await addressOf(agent), address)
    await agent.stop()
    const again = agentIn(data)
    t.teardown(() => again.stop())
    await again.running
    t.equal(await addressOf(again), address, 'and it stays so')
    t.notMatch(again.output, /damaged/)
  },
)

for (const [what, octets, answerOf] of [
  ['a row', written, addressOf],
  ['the index that DNS reads', indexed, dnsAnswer],
] as const) {
  t.test(
    `a byte of ${what} that changes under a running server is found and made good`,
    async (t) => {
      const data = join(t.testdir(), 'data')
      const agent = agentIn(data, '-state-check-interval=1s')
      t.teardown(() => agent.stop())
      await agent.running
      await register(agent)
      await until('it is in the file', 10_000, () => flip(join(data, 'state.db'), octets))
      await agent.until('rebuilt state.db')
      await until('the right answer', 10_000, async () => (await answerOf(agent)) === address)
      const metrics = await fetch(`${agent.httpUrl}/v1/agent/metrics?format=prometheus`)
      t.match(await metrics.text(), /svcd_state_damages_total 1/)
      await register(agent, 82)
      t.equal(await answerOf(agent), address)
    },
  )
}

t.test(
  'a state that is no database is rebuilt at the start, and kept beside the new one',
  async (t) => {
    const data = join(t.testdir(), 'data')
    const first = agentIn(data)
    await first.running
    await register(first)
    await first.stop()
    const path = join(data, 'state.db')
    for (const offset of [0, 4096]) {
      const file = openSync(path, 'r+')
      writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, offset)
      closeSync(file)
      const agent = agentIn(data)
      await agent.running
      await agent.until('rebuilt state.db')
      await until('the right answer', 10_000, async () => (await addressOf(agent)) === address)
      await agent.stop()
    }
    t.ok(existsSync(`${path}.damaged`))
  },
)

/** Overwrites the pages that hold the service, for HTTP and for DNS; false while they are not in the file. */
function spoilPages(path: string): boolean {
  const [rows, entries] = [placesOf(path, written), placesOf(path, indexed)]
  if (rows.length === 0 || entries.length === 0) return false
  const file = openSync(path, 'r+')
  for (const at of [...rows, ...entries]) {
    writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, at - (at % 4096))
  }
  closeSync(file)
  return true
}

t.test('a damaged page that a read meets is checked and made good at once', async (t) => {
  const directory = t.testdir()
  // Its own turn comes in ten minutes.
  for (const reader of ['HTTP', 'DNS'] as const) {
    const data = join(directory, reader)
    const agent = agentIn(data)
    t.teardown(() => agent.stop())
    await agent.running
    await register(agent)
    await until('the row in the file', 10_000, () => spoilPages(join(data, 'state.db')))
    const seen = new Set<string>()
    let nodes = 0
    await until(`a state rebuilt because of ${reader}`, 20_000, async () => {
      // A change, or a reader would stay with the page that it remembers.
      const node = { Node: `n${nodes++}`, Address: '10.77.1.9' }
      await agent.put('catalog/register', node).catch(() => undefined)
      seen.add(await (reader === 'HTTP' ? addressOf(agent) : dnsAnswer(agent)).then(String))
      return agent.output.includes('rebuilt state.db')
    })
    const failed = reader === 'HTTP' ? 'status 503' : 'SERVFAIL'
    t.ok(seen.has(failed), `${reader} said ${failed}`)
    seen.delete(failed)
    t.ok(
      [...seen].every((answer) => answer === address),
      [...seen].join(', '),
    )
    t.match(agent.output, /a read found damage in state\.db; checking the whole file/)
    t.equal(agent.output.split('checking the whole file').length, 2, 'once')
    await until('the right answer', 10_000, async () => (await addressOf(agent)) === address)
    await agent.stop()
  }
})

async function dnsAnswer(agent: AgentProcess): Promise<string> {
  const server = { address: '127.0.0.1', port: agent.dnsPort }
  const reply = await ask(server, 'web.service.consul', 'A', { timeoutMs: 2000, attempts: 1 })
  if (reply.rcode !== 'NOERROR') return reply.rcode
  return JSON.stringify(reply.answer).includes(`"${address}"`) ? address : 'another answer'
}

t.test('a garbage page in agent.db or raft.db ends the start with a clear error', async (t) => {
  const directory = t.testdir()
  for (const name of ['agent.db', 'raft.db']) {
    const data = join(directory, name)
    const first = agentIn(data)
    await first.running
    await register(first)
    await first.stop()
    const path = join(data, name)
    const file = openSync(path, 'r+')
    const { size } = statSync(path)
    for (let at = 4096; at < size; at += 4096)
      writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, at)
    closeSync(file)
    const agent = agentIn(data)
    t.not(await agent.exited, 0)
    t.match(agent.output, new RegExp(`${name} is damaged: .*Restore its data`))
    t.notMatch(agent.output, /\n\s+at /, 'and no stack')
  }
})

t.test('what a server keeps can be read by its user only', async (t) => {
  const data = join(t.testdir(), 'data')
  const agent = agentIn(data)
  t.teardown(() => agent.stop())
  await agent.running
  await register(agent)
  const saved = await runSvcd(agent.httpUrl, 'snapshot', 'save', join(t.testdirName, 'a.snap'))
  t.equal(saved.code, 0, saved.err)
  t.equal(statSync(data).mode & 0o777, 0o700)
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((f) =>
    f.isFile(),
  )
  t.ok(files.length >= 5)
  for (const { parentPath, name } of files) {
    t.equal(statSync(join(parentPath, name)).mode & 0o777, 0o600, name)
  }
})

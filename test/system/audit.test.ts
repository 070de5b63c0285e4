import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { notRoot } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

interface AuditLine {
  readonly type: string
  readonly index?: number
  readonly operation?: string
  readonly outcome?: string
  readonly target?: Readonly<Record<string, unknown>>
  readonly actor?: Readonly<Record<string, unknown>>
}

/** Of a file and those that were rotated away from it. */
function linesOf(path: string): readonly AuditLine[] {
  const directory = join(path, '..')
  const own = must(path.split('/').at(-1))
  const names = readdirSync(directory).filter((name) => name.startsWith(`${own}.`))
  const texts = [...names.toSorted(), own].map((name) =>
    readFileSync(join(directory, name), 'utf8'),
  )
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditLine)
}

function indexesOf(path: string): readonly number[] {
  return linesOf(path).flatMap(({ type, index }) =>
    type === 'change' && index !== undefined ? [index] : [],
  )
}

/** The changes by their index, as text. */
function changesOf(path: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const line of linesOf(path)) {
    // A change of the members has no time of its own.
    if (line.type !== 'change' || line.operation === 'members') continue
    found.set(must(line.index), JSON.stringify(line))
  }
  return found
}

const secret = 'c4nary-in-a-value'

t.test(
  'three servers have the same line for each index, none twice and none missing after kill -9',
  { timeout: 120_000 },
  async (t) => {
    const cluster = await ThreeServers.prepare(t.testdir())
    t.teardown(() => cluster.stop())
    const fileOf = ({ name }: ClusterServer): string => join(cluster.directory, `${name}.audit`)
    const start = (server: ClusterServer): Promise<void> =>
      server.start([`-audit-log=${fileOf(server)}`, '-audit-log-rotate-bytes=20000'])
    await Promise.all(cluster.servers.map((server) => start(server)))
    await cluster.leader()
    const write = async (server: ClusterServer, from: number, to: number): Promise<void> => {
      for (let number = from; number < to; number++) {
        await server.fetch(`kv/k${number}?token=${secret}`, { method: 'PUT', body: secret })
      }
    }
    const [first, second, third] = cluster.servers.map((server) => must(server))
    await Promise.all([write(must(first), 0, 100), write(must(second), 100, 200)])
    for (let round = 0; round < 3; round++) {
      const base = 200 + 100 * round
      const writing = write(must(first), base, base + 60)
      await must(third).kill()
      await start(must(third))
      await writing
      await cluster.leader()
    }
    await must(first).put('kv/last')
    const newest = await until('the last key in all files', 20_000, () => {
      const indexes = cluster.servers.map((server) => {
        const line = linesOf(fileOf(server)).find(({ target }) => target?.['key'] === 'last')
        return line?.index
      })
      return indexes.every((index) => index !== undefined) && Math.max(...indexes.map(Number))
    })
    const [one, ...others] = cluster.servers.map((server) => {
      const path = fileOf(server)
      const indexes = indexesOf(path).filter((index) => index <= newest)
      t.equal(new Set(indexes).size, indexes.length, `${server.name}: no index twice`)
      t.strictSame(
        indexes,
        indexes.toSorted((a, b) => a - b),
        `${server.name}: in order`,
      )
      t.notMatch(readFileSync(path, 'utf8'), secret)
      return new Map([...changesOf(path)].filter(([index]) => index <= newest))
    })
    t.ok(must(one).size > 380)
    for (const other of others) t.strictSame([...other], [...must(one)])
    t.ok(readdirSync(cluster.directory).filter((name) => name.includes('.audit.')).length > 0)
  },
)

t.test('an operation and a denied request are recorded by their endpoint', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'audit.log')
  const agent = await AgentProcess.start({ args: ['-dev', `-audit-log=${path}`] })
  t.teardown(() => agent.kill())
  t.equal(statSync(path).mode & 0o777, 0o600)
  const url = agent.httpUrl
  await fetch(`${url}/v1/agent/reload`, { method: 'PUT' })
  await fetch(`${url}//v1//agent/./force-leave/gone?token=${secret}`, { method: 'PUT' })
  await fetch(`${url}/v1/agent/join/127.0.0.1:1`, { method: 'PUT' })
  await fetch(`${url}/v1/operator/raft/peer?id=nobody&token=${secret}`, { method: 'DELETE' })
  await fetch(`${url}/v1/kv/denied`, {
    method: 'PUT',
    headers: { 'Sec-Fetch-Site': 'cross-site', 'X-Consul-Token': secret },
    body: secret,
  })
  const requests = await until('five requests', 5000, () => {
    const found = linesOf(path).filter(({ type }) => type === 'request')
    return found.length >= 5 && found
  })
  const about = requests.map(({ operation, target, outcome }) => ({ operation, target, outcome }))
  t.match(
    about.toSorted((a, b) => must(a.operation).localeCompare(must(b.operation))),
    [
      { operation: 'delete_operator_raft_peer', target: { id: 'nobody' }, outcome: 'failed' },
      { operation: 'put_agent_force_leave', target: { node: 'gone' } },
      { operation: 'put_agent_join', target: { address: '127.0.0.1:1' }, outcome: 'failed' },
      { operation: 'put_agent_reload', target: {}, outcome: 'done' },
      { operation: 'put_kv', target: { key: 'denied' }, outcome: 'denied' },
    ],
  )
  t.notMatch(readFileSync(path, 'utf8'), secret)
})

t.test('a file that was moved goes on in a new one after SIGHUP', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'audit.log')
  const agent = await AgentProcess.start({ args: ['-dev', `-audit-log=${path}`] })
  t.teardown(() => agent.kill())
  await fetch(`${agent.httpUrl}/v1/kv/before`, { method: 'PUT', body: 'x' })
  await until('the first key', 5000, () => readFileSync(path, 'utf8').includes('"before"'))
  renameSync(path, `${path}.1`)
  agent.child.kill('SIGHUP')
  await until('a new file', 5000, () => existsSync(path))
  await fetch(`${agent.httpUrl}/v1/kv/after`, { method: 'PUT', body: 'x' })
  await until('the second key', 5000, () => readFileSync(path, 'utf8').includes('"after"'))
  t.notMatch(readFileSync(`${path}.1`, 'utf8'), '"key":"after"')
  t.notMatch(readFileSync(path, 'utf8'), '"before"')
  const indexes = indexesOf(path)
  t.equal(new Set(indexes).size, indexes.length)
})

t.test('without its required file a server refuses changes, reads on, and recovers', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'audit.log')
  const args = ['-dev', `-audit-log=${path}`, '-audit-log-required']
  const agent = await AgentProcess.start({ args })
  t.teardown(() => agent.kill())
  const put = (key: string): Promise<Response> =>
    fetch(`${agent.httpUrl}/v1/kv/${key}`, { method: 'PUT', body: 'x' })
  t.equal((await put('before')).status, 200)
  await until('the first key', 5000, () => readFileSync(path, 'utf8').includes('"before"'))
  rmSync(path)
  mkdirSync(path)
  const refused = await until('a refusal', 10_000, async () => {
    const response = await put('meanwhile')
    return response.status !== 200 && response
  })
  t.equal(refused.status, 503)
  t.match(await refused.text(), /^The audit log of this server cannot be written \(EISDIR/)
  t.equal((await fetch(`${agent.httpUrl}/v1/kv/before`)).status, 200, 'reads go on')
  const metrics = await (await fetch(`${agent.httpUrl}/metrics`)).text()
  t.match(metrics, /^svcd_audit_log_failing 1$/m)
  rmdirSync(path)
  await until('a change is taken again', 10_000, async () => (await put('after')).status === 200)
  await until('its line', 5000, () => readFileSync(path, 'utf8').includes('"after"'))
})

t.test(
  'on a full disk no line is torn, and every change has its line once there is space',
  { skip: notRoot() },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'svcd-audit-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory])
    const path = join(directory, 'audit.log')
    const agent = await AgentProcess.start({ args: ['-dev', `-audit-log=${path}`] })
    t.teardown(async () => {
      await agent.kill()
      execFileSync('umount', [directory])
      rmdirSync(directory)
    })
    const put = async (key: string): Promise<void> => {
      const response = await fetch(`${agent.httpUrl}/v1/kv/${key}`, { method: 'PUT', body: 'x' })
      t.equal(response.status, 200)
    }
    await put('before')
    await until('the first key', 5000, () => readFileSync(path, 'utf8').includes('"before"'))
    const ballast = join(directory, 'ballast')
    t.throws(() => writeFileSync(ballast, Buffer.alloc(256 * 1024)), /ENOSPC/)
    for (let number = 0; number < 50; number++) await put(`full${number}`)
    await agent.until('cannot write the audit log')
    rmSync(ballast)
    await agent.until('the audit log is written again')
    await put('after')
    await until('the last key', 5000, () => readFileSync(path, 'utf8').includes('"after"'))
    const indexes = indexesOf(path)
    t.equal(new Set(indexes).size, indexes.length, 'no index twice')
    const keys = new Set(linesOf(path).map(({ target }) => target?.['key']))
    for (let number = 0; number < 50; number++) t.ok(keys.has(`full${number}`))
  },
)

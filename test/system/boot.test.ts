import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { answeredWithin, instance } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// A server that starts and finds no leader answers all the same, and says what its answers are worth.

const openMs = 5000

/**
 * Within so long a server without a leader must be open: what it waits for one, and its start, which takes longer on a
 * busy machine. A start with a leader is the measure of that.
 */
async function openMsMax(): Promise<number> {
  const startMs = performance.now()
  const agent = await AgentProcess.start()
  const takesMs = performance.now() - startMs
  await agent.kill()
  return openMs + Math.max(1000, 3 * takesMs)
}

async function dig(port: number, name: string): Promise<string> {
  const args = ['@127.0.0.1', '-p', String(port), '+time=1', '+tries=1', name]
  return (await promisify(execFile)('dig', args)).stdout
}

t.test(
  'a server that is started alone answers as stale',
  { timeout: 90_000, skip: missing('dig') },
  async (t) => {
    const cluster = await ThreeServers.start(t)
    const [alone, ...others] = cluster.servers
    const server = must(alone)
    await server.put('agent/service/register', { Name: 'own', Port: 80 })
    await server.put('catalog/register', instance('outside', 'web-1'))
    await answeredWithin(cluster.servers, 'web.service.consul', 5000, (a) => a.length === 1)
    for (const other of others) await other.kill()
    // Something of its own that the catalog does not have: it may not wait for it either.
    await server.kill()

    const mostMs = await openMsMax()
    const startMs = performance.now()
    await server.start()
    const tookMs = performance.now() - startMs
    t.ok(tookMs < mostMs, `open after ${tookMs.toFixed(0)} ms`)
    const answer = await dig(server.dnsPort, 'web.service.consul')
    t.match(answer, /status: NOERROR/)
    t.match(answer, /EDE: 3 \(Stale Answer\)/)
    t.match(answer, /web\.service\.consul\.\s+[01]\s+IN\s+A\s+10\.1\.0\.1/)
    t.match(await dig(server.dnsPort, 'own.service.consul'), /status: NOERROR/)
    t.equal(await server.get('status/leader'), '')
    t.same(await server.get('catalog/services?stale'), { consul: [], own: [], web: [] })
    const read = await server.fetch('catalog/services')
    t.strictSame([read.status, await read.text()], [500, svcdError('no-leader', {}).message])

    await t.test('and stops in time, whatever waits', async (t) => {
      const write = server.put('agent/service/register', { Name: 'late', Port: 81 }).catch(String)
      const default_ = server.get('catalog/nodes').catch(String)
      // An archive that is sent and never ends.
      const upload = connect(server.httpPort, '127.0.0.1')
      upload.on('error', () => {})
      upload.write(
        'PUT /v1/snapshot HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc',
      )
      await until('the write waits', 2000, async () => {
        const services = await server.get<Record<string, unknown>>('agent/services')
        return 'late' in services
      })
      const stopMs = performance.now()
      t.equal(await server.stop(), 0)
      t.ok(performance.now() - stopMs < 5000, `${(performance.now() - stopMs).toFixed(0)} ms`)
      t.match(await write, /stopping/)
      t.match(await default_, /stopping/)
    })

    await t.test('a leader makes its answers good again, and gets what waited', async (t) => {
      await Promise.all([server.start(), must(others[0]).start()])
      await cluster.leader()
      await until('the answers are good', 5000, async () => {
        return !(await dig(server.dnsPort, 'web.service.consul')).includes('EDE')
      })
      await answeredWithin(cluster.live, 'late.service.consul', 5000, (a) => a.length === 1)
      t.pass('the service that was registered without a leader is there')
    })
  },
)

t.test(
  'a server that never had a cluster knows nothing, and says so',
  { timeout: 30_000, skip: missing('dig') },
  async (t) => {
    const [nobody] = await freePorts(1)
    const mostMs = await openMsMax()
    const startMs = performance.now()
    const agent = await AgentProcess.start({
      args: [
        '-server',
        `-data-dir=${t.testdir()}`,
        '-bind=127.0.0.1',
        '-bootstrap-expect=3',
        `-retry-join=127.0.0.1:${must(nobody)}`,
      ],
    })
    t.teardown(() => agent.kill())
    const tookMs = performance.now() - startMs
    t.ok(tookMs < mostMs, `open after ${tookMs.toFixed(0)} ms, of ${mostMs.toFixed(0)}`)
    t.match(await dig(agent.dnsPort, 'web.service.consul'), /status: SERVFAIL/)
    t.equal(await agent.get('status/leader'), '')
    const stopMs = performance.now()
    t.equal(await agent.stop(), 0)
    t.ok(performance.now() - stopMs < 5000, 'and stops in time')
  },
)

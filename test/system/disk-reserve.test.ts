import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { instance, registerAlways } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { notRoot } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

const refused = /^The disk of the leader, n\d, has \d+ MiB left, and 64 MiB are reserved/

t.test(
  'three disks that fill at once leave three servers that refuse registrations, and go on by themselves',
  { skip: notRoot(), timeout: 120_000 },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'svcd-three-disks-'))
    const cluster = await ThreeServers.prepare(directory, {
      args: ['-disk-reserve-mib=64'],
    })
    const { servers } = cluster
    for (const server of servers) {
      mkdirSync(server.directory)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', server.directory])
    }
    t.teardown(async () => {
      await cluster.stop()
      for (const server of servers) execFileSync('umount', [server.directory])
      rmSync(directory, { recursive: true })
    })
    await cluster.startAll()
    const always = await registerAlways(cluster)
    const [asked] = await cluster.followers()
    const fetched = async (path: string, body?: unknown): Promise<[number, string]> => {
      const reply = await fetch(`${must(asked).agent.httpUrl}/v1/${path}`, {
        method: 'PUT',
        body: JSON.stringify(body ?? {}),
      })
      return [reply.status, await reply.text()]
    }
    const check = { ID: 'ttl', Name: 'ttl', TTL: '10m', Status: 'critical' }
    t.strictSame(await fetched('agent/check/register', check), [200, ''])
    for (const server of servers) {
      writeFileSync(join(server.directory, 'ballast'), Buffer.alloc(188 * 2 ** 20))
    }
    const meta = { filler: 'x'.repeat(480) }
    for (let number = 0; ; number++) {
      const body = instance('outside', `fill${number}`, 'fill') as { Service: object }
      const service = { ...body.Service, Meta: meta }
      const [status, text] = await fetched('catalog/register', { ...body, Service: service })
      if (status === 200 && number < 20_000) continue
      t.equal(status, 507, `after ${number} registrations`)
      t.match(text, refused)
      break
    }
    for (const server of servers) {
      if (!cluster.live.includes(server)) t.comment(server.output())
    }
    t.equal(cluster.live.length, 3, 'all servers live')
    for (const server of servers) {
      t.equal((await server.ask(always)).answer.length, 1, 'and answer DNS')
    }
    t.strictSame(await fetched('agent/check/pass/ttl'), [200, ''], 'health goes on')
    const gone = { Node: 'outside', ServiceID: 'fill0' }
    t.strictSame(await fetched('catalog/deregister', gone), [200, 'true'], 'so do deregistrations')
    const leader = await cluster.leader()
    t.match(leader.agent.output, 'nearly full: refusing registrations')
    await until('the metric says so', 5000, async () => {
      const metrics = await (await fetch(`${leader.agent.httpUrl}/metrics`)).text()
      return /^svcd_disk_is_low 1$/m.test(metrics)
    })
    for (const server of servers) rmSync(join(server.directory, 'ballast'))
    await until('it takes registrations again', 10_000, async () => {
      const [status] = await fetched('catalog/register', instance('outside', 'later', 'later'))
      return status === 200
    })
    t.match(leader.agent.output, 'the disk has space again')
  },
)

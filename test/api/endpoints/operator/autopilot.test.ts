import t from 'tap'
import type { ServerHealth } from '../../../../src/ports/cluster.ts'
import { version } from '../../../../src/base/version.ts'
import { TestApi } from '../../support.ts'

const id = '11111111-2222-3333-4444-555555555555'

const health: ServerHealth = {
  id,
  lastContactMs: 12.3,
  lastTerm: 4,
  lastIndex: 99,
  isHealthy: true,
  stableSinceMs: Date.UTC(2026, 0, 2, 3, 4, 5),
}

t.test("a server's health has every field of Consul's, as the leader sees it", async (t) => {
  const api = new TestApi(t)
  api.backend.healths = [health]
  const { Servers } = await api.json<{ Servers: object[] }>('operator/autopilot/health')
  t.strictSame(Servers, [
    {
      ID: id,
      Name: 'n1',
      Address: '127.0.0.1:8300',
      SerfStatus: 'alive',
      Version: '1.21.4',
      Leader: true,
      LastContact: '12ms',
      LastTerm: 4,
      LastIndex: 99,
      Healthy: true,
      Voter: true,
      StableSince: '2026-01-02T03:04:05.000Z',
    },
  ])
})

t.test('a server that lags is not healthy, although it lives', async (t) => {
  const api = new TestApi(t)
  api.backend.healths = [{ ...health, isHealthy: false }]
  const { status, body } = await api.get('operator/autopilot/health')
  t.equal(status, 429)
  t.match(JSON.parse(body), { Healthy: false, Servers: [{ SerfStatus: 'alive', Healthy: false }] })
})

t.test('without a leader that tells, nothing is made up', async (t) => {
  const api = new TestApi(t)
  api.backend.contactMs = 250
  const other = { id: 'x', address: '127.0.0.1:8301', isVoter: true, isLeader: false, lastIndex: 0 }
  api.backend.servers = [...api.backend.servers, other]
  const { body } = await api.get('operator/autopilot/health?stale')
  t.match(JSON.parse(body), {
    Servers: [
      { LastContact: '-1ns', LastTerm: 0, LastIndex: 0, StableSince: '0001-01-01T00:00:00Z' },
      { Name: 'n1', LastContact: '250ms', LastIndex: 1 },
    ],
  })
})

t.test('the configuration of autopilot is what svcd goes by', async (t) => {
  const api = new TestApi(t)
  t.strictSame(await api.json('operator/autopilot/configuration'), {
    CleanupDeadServers: true,
    LastContactThreshold: '3s',
    MaxTrailingLogs: 10_000,
    MinQuorum: 0,
    ServerStabilizationTime: '0s',
    RedundancyZoneTag: '',
    DisableUpgradeMigration: false,
    UpgradeVersionTag: '',
    CreateIndex: 1,
    ModifyIndex: 1,
  })
})

t.test('a configuration is taken when it asks for what holds, and else told why not', async (t) => {
  const api = new TestApi(t)
  const path = 'operator/autopilot/configuration'
  await api.put(path, { MinQuorum: 0 })
  const now = await api.json<object>(path)
  const taken: readonly (readonly [query: string, body: object, answer: string])[] = [
    ['', now, 'true'],
    ['', {}, 'true'],
    ['', { LastContactThreshold: 3e9 }, 'true'],
    ['', { CleanupDeadServers: true, MinQuorum: 0 }, 'true'],
    // What Consul's client in Go sends for fields that it leaves as they are.
    ['', { LastContactThreshold: null, MaxTrailingLogs: 0, ServerStabilizationTime: '0s' }, 'true'],
    ['?cas=7777', now, 'false'],
  ]
  for (const [query, body, answer] of taken) {
    const reply = await api.put(`${path}${query}`, body)
    t.strictSame([reply.status, reply.body], [200, answer], `${query} ${JSON.stringify(body)}`)
  }
  const refused: readonly (readonly [body: unknown, text: RegExp])[] = [
    [{ CleanupDeadServers: false, MaxTrailingLogs: 1 }, /^These .* MaxTrailingLogs is 10000: /],
    [{ MinQuorum: -1 }, /MinQuorum -1 is not between 0 and 255/],
    [{ MinQuorum: 256 }, /MinQuorum 256 is not between 0 and 255/],
    [{ LastContactThreshold: '200ms' }, /LastContactThreshold is "3s": .* -member-timeout/],
    [{ MaxTrailingLogs: 250, ServerStabilizationTime: '10s' }, /MaxTrailingLogs .*Stabilization/],
    [{ RedundancyZoneTag: 'zone' }, /RedundancyZoneTag is ""/],
    [{ foo: 1 }, /^Bad request: Error parsing autopilot config: json: unknown field "foo"/],
    [{ LastContactThreshold: 'x' }, /^Bad request: Error parsing autopilot config: .*duration/],
    ['{', /^Bad request: Error parsing autopilot config: /],
  ]
  for (const [body, text] of refused) {
    const reply = await api.put(path, body)
    t.equal(reply.status, 400, JSON.stringify(body))
    t.match(reply.body, text)
  }
  t.match(await api.put(`${path}?cas=x`, {}), {
    status: 400,
    body: /^Bad request: Error parsing cas value: /,
  })
  t.strictSame(await api.json(path), now, 'nothing was changed')
})

t.test('CleanupDeadServers and MinQuorum can be set, also only at an index', async (t) => {
  const api = new TestApi(t)
  const path = 'operator/autopilot/configuration'
  const now = () => api.json<Record<string, number>>(path)
  const put = async (query: string, body: object) => (await api.put(`${path}${query}`, body)).body
  t.equal(await put('?cas=0', { CleanupDeadServers: false }), 'false')
  t.match(await now(), { CleanupDeadServers: true, ModifyIndex: 1 })
  t.equal(await put('?cas=1', { CleanupDeadServers: false }), 'true')
  const first = await now()
  t.match(first, { CleanupDeadServers: false, MinQuorum: 0 })
  t.ok(Number(first['ModifyIndex']) > 1)
  t.equal(await put('?cas=1', { MinQuorum: 3 }), 'false', 'it has another index by now')
  t.equal(await put('', { MinQuorum: 3 }), 'true')
  const second = await now()
  t.match(second, { CleanupDeadServers: false, MinQuorum: 3 }, 'a field that is left out stays')
  t.equal(second['CreateIndex'], first['CreateIndex'])
  t.equal(await put(`?cas=${second['ModifyIndex']}`, second), 'true')
  t.strictSame(await now(), second, 'the same again is no change')
})

t.test('members among several datacenters are named with theirs', async (t) => {
  const api = new TestApi(t)
  t.match(await api.json('agent/members?wan=1'), [{ Name: 'n1.dc1', Tags: { dc: 'dc1' } }])
  t.match(await api.json('agent/members?wan=0'), [{ Name: 'n1' }])
  t.match(await api.json('agent/members?wan=1&filter=Name+%3D%3D+%22n1.dc1%22'), [{}])
})

t.test('agent/self says that there is no port for proxies', async (t) => {
  const api = new TestApi(t)
  t.match(await api.json('agent/self'), {
    xDS: { SupportedProxies: {}, Port: -1, Ports: { Plaintext: -1, TLS: -1 } },
  })
})

t.test('agent/host and agent/version tell of the machine and the program', async (t) => {
  const api = new TestApi(t)
  t.match(await api.json('agent/version'), { HumanVersion: '1.21.4', SvcdVersion: version })
  const host = await api.json<Record<string, never>>('agent/host')
  t.match(host, {
    Memory: { total: Number, free: Number, usedPercent: Number },
    Host: { hostname: String, uptime: Number, os: process.platform },
    Disk: { path: api.backend.directory, total: Number, free: Number },
    Errors: null,
  })
  t.ok(Math.abs(Number(host['CollectionTime']) / 1e6 - Date.now()) < 60_000, 'nanoseconds')
})

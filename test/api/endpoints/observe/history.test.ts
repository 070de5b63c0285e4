import t from 'tap'
import { TestTokens } from '../../../helpers/test-tokens.ts'
import { TestApi } from '../../support.ts'

interface HourJson {
  readonly StepSeconds: number
  readonly End: string
  readonly Questions: Readonly<Record<string, readonly (number | null)[]>>
  readonly Requests: Readonly<Record<string, readonly (number | null)[]>>
  readonly Lag: Readonly<Record<string, readonly (number | null)[]>>
  readonly Health: Readonly<Record<string, readonly (number | null)[]>>
  readonly Flapping: readonly { readonly Service: string; readonly Changes: number }[]
}

/** An agent whose history goes on by a step at each call of `next`. */
async function recorded(t: TestApi): Promise<() => Promise<void>> {
  await t.app.ready()
  return () => {
    t.backend.nowMs += 10_000
    return t.backend.history.sample()
  }
}

async function register(api: TestApi, status: string): Promise<void> {
  const body = {
    Node: 'host-1',
    Address: '10.0.0.1',
    Service: { Service: 'Web', ID: 'web-1', Port: 80 },
    Check: { CheckID: 'c', Name: 'c', Status: status, ServiceID: 'web-1' },
  }
  await api.ask('PUT', '/v1/catalog/register', body, { 'X-Consul-Token': 'root' })
}

t.test('agent/history tells rates, lag and health, a value per ten seconds', async (t) => {
  const api = new TestApi(t)
  const next = await recorded(api)
  await register(api, 'passing')
  api.backend.questions.set('NOERROR', 50)
  await next()
  api.backend.questions.set('NOERROR', 150)
  await register(api, 'critical')
  await api.get('no/such/path')
  await next()
  const hour = await api.json<HourJson>('agent/history')
  t.equal(hour.StepSeconds, 10)
  t.equal(hour.End, '1970-01-01T00:00:20.000Z')
  t.strictSame(hour.Questions, { NOERROR: [5, 10] })
  t.strictSame(hour.Requests['All'], [0.1, 0.2])
  t.strictSame(hour.Requests['ClientErrors'], [0, 0.1])
  t.strictSame(Object.values(hour.Lag), [[0, 0]])
  // The agent's own service is the other instance.
  t.strictSame(hour.Health, {
    Passing: [2, 1],
    Warning: [0, 0],
    Critical: [0, 1],
    Maintenance: [0, 0],
  })
  t.strictSame(hour.Flapping, [])
})

t.test('a service whose health changes again and again is named', async (t) => {
  const api = new TestApi(t)
  const next = await recorded(api)
  for (const status of ['passing', 'critical', 'passing', 'critical']) {
    await register(api, status)
    await next()
  }
  const hour = await api.json<HourJson>('agent/history')
  t.strictSame(hour.Flapping, [{ Service: 'Web', Changes: 3 }])
  const own = await api.json<Pick<HourJson, 'Health'>>('health/history/web')
  t.strictSame(own.Health['Critical'], [0, 1, 0, 1])
  const none = await api.json<{ readonly Health: unknown }>('health/history/none')
  t.equal(none.Health, null)
})

t.test('the history of a service is shown to those who may read it on every node', async (t) => {
  const agent = 'agent_prefix "" { policy = "read" }'
  const nodes = 'node_prefix "" { policy = "read" }'
  const service = 'service "Web" { policy = "read" }'
  const tokens = new TestTokens()
    .set('all', agent, nodes, service)
    .set('no-service', agent, nodes, 'service "web" { policy = "read" }')
    .set('one-node', agent, service, 'node "host-1" { policy = "read" }')
    .set('no-agent', nodes, service)
  const api = new TestApi(t, { tokens })
  const next = await recorded(api)
  for (const status of ['passing', 'critical', 'passing', 'critical']) {
    await register(api, status)
    await next()
  }
  const ask = async (path: string, secret: string) => {
    const { status, body } = await api.ask('GET', `/v1/${path}`, undefined, {
      'X-Consul-Token': secret,
    })
    return status === 200 ? (JSON.parse(body) as HourJson) : status
  }
  for (const secret of ['all', 'no-service', 'one-node']) {
    const isSeen = secret === 'all'
    const { Flapping } = (await ask('agent/history', secret)) as HourJson
    t.equal(Flapping.length, isSeen ? 1 : 0, secret)
    const { Health } = (await ask('health/history/web', secret)) as HourJson
    t.equal(Health !== null, isSeen, secret)
  }
  t.equal(await ask('agent/history', 'no-agent'), 403)
})

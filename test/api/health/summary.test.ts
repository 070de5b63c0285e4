import t from 'tap'
import { aggregatedStatus } from '../../../src/health/judge.ts'
import type { HealthEntry, NodeSummary, ServiceSummary } from '../../../src/client/rows.ts'
import { TestApi } from '../support.ts'

const statuses = ['passing', 'warning', 'critical'] as const

const fields = {
  passing: 'Passing',
  warning: 'Warning',
  critical: 'Critical',
  maintenance: 'Maintenance',
} as const

interface Made {
  readonly service: string
  readonly node: string
}

/** One service on a node of its own for each combination of checks. */
async function makeCombinations(api: TestApi): Promise<readonly Made[]> {
  const made: Made[] = []
  for (const ofNode of [undefined, ...statuses, 'maintenance'] as const) {
    for (const ofService of [undefined, ...statuses, 'maintenance'] as const) {
      const name = `${ofService ?? 'none'}-on-${ofNode ?? 'none'}`
      const [Node, ServiceID] = [`node-${name}`, `id-${name}`]
      const Checks = [
        ...(ofNode === undefined ? [] : [check(ofNode, '_node_maintenance', 'n', '')]),
        ...(ofService === undefined
          ? []
          : [check(ofService, `_service_maintenance:${ServiceID}`, 's', ServiceID)]),
      ]
      const body = { Node, Address: '10.0.0.1', Service: { Service: name, ID: ServiceID }, Checks }
      t.equal((await api.put('catalog/register', body)).status, 200)
      made.push({ service: name, node: Node })
    }
  }
  return made
}

function check(status: string, maintenance: string, id: string, ServiceID: string): object {
  const isMaintenance = status === 'maintenance'
  return {
    CheckID: isMaintenance ? maintenance : id,
    Name: id,
    Status: isMaintenance ? 'critical' : status,
    Output: `it is ${status}`,
    ServiceID,
  }
}

t.test('a summary agrees with health/service in each combination of checks', async (t) => {
  const api = new TestApi(t)
  const made = await makeCombinations(api)
  t.equal(made.length, 25)
  const services = await api.json<readonly ServiceSummary[]>('health/summary')
  const nodes = await api.json<readonly NodeSummary[]>('health/node-summary')
  for (const { service, node } of made) {
    const [entry] = await api.json<readonly HealthEntry[]>(`health/service/${service}`)
    const status = aggregatedStatus(
      (entry?.Checks ?? []).map(({ CheckID, Status, ServiceID }) => ({
        checkId: CheckID,
        status: Status as 'passing',
        serviceId: ServiceID,
      })),
    )
    const expected = { Passing: 0, Warning: 0, Critical: 0, Maintenance: 0 }
    expected[fields[status]]++
    const summary = services.find(({ Name }) => Name === service)
    t.match(summary, expected, service)
    t.match(
      nodes.find(({ Node }) => Node === node),
      expected,
      node,
    )
    if (status === 'passing') t.equal(summary?.Reason, null)
    else t.match(summary?.Reason, { Node: node, Status: status, Output: /^it is / }, service)
  }
})

t.test('the reason of a service is the check of its worst instance', async (t) => {
  const api = new TestApi(t)
  for (const [id, status] of [
    ['a', 'passing'],
    ['b', 'critical'],
    ['c', 'warning'],
  ] as const) {
    const Check = {
      CheckID: `check-${id}`,
      Name: id,
      Status: status,
      Output: 'x'.repeat(1000),
      ServiceID: id,
    }
    const Service = { Service: 'web', ID: id }
    await api.put('catalog/register', { Node: 'n2', Address: '10.0.0.2', Service, Check })
  }
  const [, web] = await api.json<readonly ServiceSummary[]>('health/summary')
  t.match(web, { Name: 'web', Passing: 1, Warning: 1, Critical: 1 })
  t.match(web?.Reason, { CheckID: 'check-b', Status: 'critical', Node: 'n2' })
  t.equal(web?.Reason?.Output.length, 240, 'only its first characters')
})

t.test('node-summary describes the node itself apart from what runs on it', async (t) => {
  const api = new TestApi(t)
  await api.put('catalog/register', {
    Node: 'n2',
    Address: '10.0.0.2',
    NodeMeta: { rack: 'a1' },
    Service: { Service: 'web', ID: 'web' },
    Check: { CheckID: 'c', Name: 'c', Status: 'critical', Output: 'down', ServiceID: 'web' },
  })
  const rows = await api.json<readonly NodeSummary[]>('health/node-summary?node-meta=rack:a1')
  t.match(rows, [
    { Node: 'n2', Address: '10.0.0.2', Status: 'passing', Critical: 1, Passing: 0, Reason: null },
  ])
  t.equal(rows.length, 1)
  const filter = encodeURIComponent('Node == n1')
  t.match(await api.json(`health/node-summary?filter=${filter}`), [{ Node: 'n1' }])
})

t.test('both summaries have an index to wait with', async (t) => {
  const api = new TestApi(t)
  for (const path of ['health/summary', 'health/node-summary']) {
    const before = Number((await api.get(path)).headers['x-consul-index'])
    await api.put('catalog/register', { Node: path.replace('/', '-'), Address: '10.0.0.3' })
    const after = Number(
      (await api.get(`${path}?index=${before}&wait=1s`)).headers['x-consul-index'],
    )
    t.ok(after > before, path)
  }
})

t.test(
  'a summary follows each change, although unchanged services are not read again',
  async (t) => {
    const api = new TestApi(t)
    const rowOf = async (name: string) => {
      const rows = await api.json<readonly ServiceSummary[]>('health/summary')
      return rows.find(({ Name }) => Name === name)
    }
    const put = async (body: object) => {
      const put = { Node: 'n2', Address: '10.0.0.2', ...body }
      t.equal((await api.put('catalog/register', put)).status, 200)
    }
    const ofService = (Status: string) => ({
      Check: { CheckID: 'c', Name: 'c', Status, Output: Status, ServiceID: 'web' },
    })
    const Service = { Service: 'web', ID: 'web', Tags: ['v1'] }
    await put({ Service })
    t.match(await rowOf('web'), { Passing: 1, Tags: ['v1'], Reason: null })
    await put(ofService('critical'))
    t.match(await rowOf('web'), { Critical: 1, Passing: 0, Reason: { Output: 'critical' } })
    await put(ofService('passing'))
    t.match(await rowOf('web'), { Critical: 0, Passing: 1, Reason: null })
    await put({ Check: { CheckID: 'n', Name: 'n', Status: 'warning', Output: 'hot' } })
    t.match(await rowOf('web'), { Warning: 1, Reason: { Output: 'hot' } }, 'a check of the node')
    await put({ Service: { ...Service, Tags: ['v2'] } })
    t.strictSame((await rowOf('web'))?.Tags, ['v2'])
    await put({ Service: { ...Service, ID: 'web-2', Service: 'WEB' } })
    t.match(await rowOf('WEB'), { Warning: 2 }, 'another spelling is the same service')
    await api.put('catalog/deregister', { Node: 'n2', ServiceID: 'web-2' })
    t.match(await rowOf('web'), { Warning: 1 })
    await api.put('catalog/deregister', { Node: 'n2', ServiceID: 'web' })
    t.equal(await rowOf('web'), undefined)
    await put({ Service })
    t.match(await rowOf('web'), { Warning: 1, Tags: ['v1'] }, 'it came back')
  },
)

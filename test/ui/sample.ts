import type { AgentProcess } from '../helpers/agent-process.ts'

// A catalog as a team on call has it: mostly well, a few things broken in different ways.

interface CheckRow {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly output: string
  readonly notes?: string
  readonly type?: string
}

interface ServiceRow {
  readonly node: string
  readonly name: string
  readonly id: string
  readonly port: number
  readonly tags?: readonly string[]
  readonly meta?: Readonly<Record<string, string>>
  readonly check?: CheckRow
}

const failing = (output: string, status = 'critical'): CheckRow => ({
  id: 'http',
  name: 'HTTP /health',
  status,
  output,
  type: 'http',
})
const well = failing('HTTP GET http://10.9.0.1/health: 200 OK Output: ok', 'passing')

const nodes = [
  { name: 'web-host-1', address: '10.9.0.1', meta: { rack: 'a1', zone: 'north' } },
  { name: 'web-host-2', address: '10.9.0.2', meta: { rack: 'a2', zone: 'north' } },
  { name: 'db-host-1', address: '10.9.1.1', meta: { rack: 'b1', zone: 'south' } },
  { name: 'db-host-2', address: 'fd00::9:2', meta: { rack: 'b2', zone: 'south' } },
  { name: 'batch-host', address: '10.9.2.1', meta: { rack: 'c1', zone: 'south' } },
] as const

const broken = `HTTP GET http://10.9.0.2:8080/health: 503 Service Unavailable Output: {"status":"down","reason":"connection pool exhausted"}`

const services: readonly ServiceRow[] = [
  {
    node: 'web-host-1',
    name: 'web',
    id: 'web-1',
    port: 8080,
    tags: ['v1', 'primary'],
    meta: { version: '1.4.2' },
    check: well,
  },
  {
    node: 'web-host-1',
    name: 'web',
    id: 'web-2',
    port: 8081,
    tags: ['v1'],
    meta: { version: '1.4.2' },
    check: well,
  },
  {
    node: 'web-host-2',
    name: 'web',
    id: 'web-3',
    port: 8080,
    tags: ['v2', 'canary'],
    meta: { version: '1.5.0' },
    check: failing(broken),
  },
  { node: 'web-host-1', name: 'api', id: 'api-1', port: 9000, tags: ['v1', 'grpc'], check: well },
  { node: 'web-host-2', name: 'api', id: 'api-2', port: 9000, tags: ['v1', 'grpc'], check: well },
  {
    node: 'db-host-1',
    name: 'postgres',
    id: 'postgres-1',
    port: 5432,
    tags: ['primary'],
    meta: { version: '16.3' },
    check: failing('replication lag is 41 s, more than 30 s', 'warning'),
  },
  {
    node: 'db-host-2',
    name: 'postgres',
    id: 'postgres-2',
    port: 5432,
    tags: ['replica'],
    meta: { version: '16.3' },
    check: well,
  },
  { node: 'db-host-2', name: 'redis', id: 'redis-1', port: 6379, tags: ['cache'] },
  {
    node: 'db-host-1',
    name: 'search',
    id: 'search-1',
    port: 9200,
    check: {
      id: '_service_maintenance:search-1',
      name: 'Service Maintenance Mode',
      status: 'critical',
      output: '',
      notes: 'upgrade to 9.1, back at 14:00',
    },
  },
  { node: 'batch-host', name: 'mail', id: 'mail-1', port: 25, tags: ['smtp'], check: well },
  { node: 'batch-host', name: 'reports', id: 'reports-1', port: 8200, check: well },
  ...[
    'billing',
    'catalogue',
    'checkout',
    'images',
    'inventory',
    'login',
    'metrics',
    'payments',
    'queue',
    'shipping',
  ].flatMap((name, at) =>
    [1, 2].map((number) => ({
      node: `web-host-${number}`,
      name,
      id: `${name}-${number}`,
      port: 10_000 + at,
      tags: number === 1 ? ['v1', 'eu'] : ['v1', 'us'],
      check: well,
    })),
  ),
]

/** Fills the catalog of an agent. */
export async function fill(agent: AgentProcess): Promise<void> {
  for (const { name, address, meta } of nodes) {
    await register(agent, { Node: name, Address: address, NodeMeta: meta })
  }
  await Promise.all(services.map((row) => registerService(agent, row)))
  const output = 'Agent not live or unreachable'
  const Check = {
    CheckID: 'serfHealth',
    Name: 'Serf Health Status',
    Status: 'critical',
    Output: output,
  }
  await register(agent, { Node: 'batch-host', Address: '10.9.2.1', SkipNodeUpdate: true, Check })
}

function registerService(agent: AgentProcess, row: ServiceRow): Promise<void> {
  const { node, name, id, port, tags = [], meta = {}, check } = row
  const body = { Node: node, Address: '', SkipNodeUpdate: true }
  const Service = { Service: name, ID: id, Port: port, Tags: tags, Meta: meta }
  if (check === undefined) return register(agent, { ...body, Service })
  return register(agent, {
    ...body,
    Service,
    Check: {
      CheckID: check.id === 'http' ? `service:${id}` : check.id,
      Name: check.name,
      Status: check.status,
      Output: check.output,
      Notes: check.notes ?? '',
      ServiceID: id,
    },
  })
}

/** Writes to the catalog; fails when the agent refuses it. */
export async function register(agent: AgentProcess, body: object): Promise<void> {
  const answer = await agent.put('catalog/register', body)
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  await answer.arrayBuffer()
}

/** Registers `count` services with one instance each, in transactions. */
export async function fillWithMany(agent: AgentProcess, count: number): Promise<void> {
  await register(agent, { Node: 'many', Address: '10.8.0.1' })
  const names = Array.from(
    { length: count },
    (_none, at) => `service-${String(at).padStart(5, '0')}`,
  )
  for (let from = 0; from < count; from += 64) {
    const operations = names.slice(from, from + 64).map((name) => ({
      Service: {
        Verb: 'set',
        Node: 'many',
        Service: { ID: name, Service: name, Port: 80, Tags: ['many'] },
      },
    }))
    const answer = await agent.put('txn', operations)
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
  }
}

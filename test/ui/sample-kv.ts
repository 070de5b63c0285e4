import type { AgentProcess } from '../helpers/agent-process.ts'

// Keys as a team has them.

const settings = {
  pool: { min: 4, max: 32, idleTimeout: '30s' },
  replicas: ['db-host-1:5432', 'db-host-2:5432'],
  features: { readOnly: false, tracing: true },
}

const values: readonly (readonly [string, string | Uint8Array])[] = [
  ['config/api/timeout', '2s'],
  ['config/api/rate-limit', '500'],
  ['config/db/host', 'db-host-1'],
  ['config/db/port', '5432'],
  ['config/db/settings.json', JSON.stringify(settings)],
  ['config/web/banner', 'Maintenance on Sunday\nfrom 02:00 to 04:00 UTC\n'],
  ['config/web/logo.png', Uint8Array.from({ length: 600 }, (_none, at) => (at * 37) % 256)],
  ['config/region', 'eu-north'],
  ['config/release', '2026.11.3'],
  ['deploy/web/v41', 'done'],
  ['deploy/web/v42', 'running'],
  ['features/dark-mode', 'true'],
  ['features/new-checkout', '25%'],
  ['locks/reports', 'batch-host'],
  ['locks/migrate', ''],
  ['motd', 'All systems are normal.'],
]

export interface KvSample {
  /** The session that holds the key `locks/reports`. */
  readonly session: string
}

/** Stores keys, one of them with the lock of a session. */
export async function fillKeys(agent: AgentProcess): Promise<KvSample> {
  for (const [key, value] of values) await putKey(agent, key, value)
  const session = await createSession(agent, { Name: 'nightly reports', TTL: '10m' })
  await putKey(agent, 'locks/reports', 'batch-host', `acquire=${session}`)
  return { session }
}

export async function putKey(
  agent: AgentProcess,
  key: string,
  value: string | Uint8Array,
  search = '',
): Promise<boolean> {
  const url = `${agent.httpUrl}/v1/kv/${encodeURIComponent(key)}?${search}`
  const answer = await fetch(url, { method: 'PUT', body: Buffer.from(value) })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return (await answer.text()).trim() === 'true'
}

export async function createSession(agent: AgentProcess, body: object): Promise<string> {
  const answer = await agent.put('session/create', { NodeChecks: [], ...body })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { readonly ID: string }).ID
}

export interface QuerySample {
  readonly stable: string
  readonly template: string
  readonly spare: string
}

/** Defines queries for the services of the sample; their IDs. */
export async function fillQueries(agent: AgentProcess): Promise<QuerySample> {
  const create = async (definition: object): Promise<string> => {
    const body = JSON.stringify(definition)
    const answer = await fetch(`${agent.httpUrl}/v1/query`, { method: 'POST', body })
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    return ((await answer.json()) as { readonly ID: string }).ID
  }
  const tags = ['v1', '!canary']
  return {
    stable: await create({
      Name: 'stable-web',
      Service: { Service: 'web', Tags: tags, OnlyPassing: true },
      DNS: { TTL: '5s' },
    }),
    template: await create({
      Name: 'pick-',
      Template: { Type: 'name_prefix_match', Regexp: '^pick-(.*?)-([^-]+)$' },
      Service: { Service: filledIn('match(1)'), Tags: [filledIn('match(2)')] },
    }),
    spare: await create({ Name: 'spare', Service: { Service: 'redis', Near: '_agent' } }),
  }
}

/** An expression of a template. */
function filledIn(expression: string): string {
  return `\${${expression}}`
}

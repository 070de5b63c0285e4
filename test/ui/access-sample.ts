import { must } from '../../src/base/assert.ts'
import type { AgentProcess } from '../helpers/agent-process.ts'

// Tokens, policies and roles as a team has them.

export const managementSecret = '11111111-2222-3333-4444-555555555555'

/** Flags of an agent with access control, and with a token that may do everything. */
export const aclFlags = [
  '-dev',
  '-node',
  'n1',
  '-acl',
  '-acl-default-policy=deny',
  `-acl-initial-management=${managementSecret}`,
] as const

/** A request with a token. Fails unless it succeeds. */
export async function acl<Row = Readonly<Record<string, string>>>(
  agent: AgentProcess,
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Row> {
  const answer = await fetch(`${agent.httpUrl}/v1/acl/${path}`, {
    method,
    headers: { 'X-Consul-Token': managementSecret },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status} ${text}`)
  return JSON.parse(text) as Row
}

const shopRules = `# What the shop needs.
key_prefix "shop/" {
  policy = "write"
}
key "shop/password" {
  policy = "deny"
}
service "shop" {
  policy = "write"
}
service_prefix "" {
  policy = "read"
}
node_prefix "" {
  policy = "read"
}
`

const policies = [
  { Name: 'shop', Description: 'The shop: its keys, and its registration', Rules: shopRules },
  {
    Name: 'discovery',
    Description: 'Finds all services',
    Rules: 'service_prefix "" {\n  policy = "read"\n}\nnode_prefix "" {\n  policy = "read"\n}\n',
  },
  { Name: 'acl-reader', Description: 'Sees tokens and policies', Rules: 'acl = "read"\n' },
] as const

export interface AclSample {
  /** IDs of policies by name. */
  readonly policies: ReadonlyMap<string, string>
  /** Accessor IDs and secrets of tokens, by description. */
  readonly tokens: ReadonlyMap<string, { readonly accessor: string; readonly secret: string }>
}

/** Writes them. */
export async function fillAcl(agent: AgentProcess): Promise<AclSample> {
  const ids = new Map<string, string>()
  for (const policy of policies) {
    const { ID } = await acl(agent, 'PUT', 'policy', policy)
    ids.set(policy.Name, must(ID))
  }
  await acl(agent, 'PUT', 'role', {
    Name: 'storefront',
    Description: 'Everything that sells',
    Policies: [{ Name: 'shop' }, { Name: 'discovery' }],
  })
  const tokens = new Map<string, { accessor: string; secret: string }>()
  for (const token of [
    { Description: 'shop on web-host-1', Policies: [{ Name: 'shop' }] },
    { Description: 'shop on web-host-2', Roles: [{ Name: 'storefront' }] },
    { Description: 'web on web-host-1', ServiceIdentities: [{ ServiceName: 'web' }] },
    { Description: 'DNS of all agents', Policies: [{ Name: 'discovery' }] },
    { Description: 'Ada, reads only', Policies: [{ Name: 'acl-reader' }], ExpirationTTL: '8h' },
    {
      Description: 'agent of db-host-1',
      NodeIdentities: [{ NodeName: 'db-host-1', Datacenter: 'dc1' }],
    },
  ]) {
    const made = await acl(agent, 'PUT', 'token', token)
    tokens.set(token.Description, {
      accessor: must(made['AccessorID']),
      secret: must(made['SecretID']),
    })
  }
  return { policies: ids, tokens }
}

import type { AgentProcess } from '../helpers/agent-process.ts'

/** Creates a token with so many policies of so many rules each, and returns its secret. Nobody has a token yet. */
export async function tokenOfPolicies(
  agent: AgentProcess,
  policies: number,
  rulesOfEach: number,
): Promise<string> {
  const management = await bootstrap(agent)
  const names: string[] = []
  for (let at = 0; at < policies; at++) {
    const name = `bench-${at}`
    await create(agent, management, 'policy', { Name: name, Rules: rulesOf(at, rulesOfEach) })
    names.push(name)
  }
  return createToken(agent, management, names)
}

/** Creates a token with one policy, and returns its secret. Nobody has a token yet. */
export async function tokenOfRules(agent: AgentProcess, rules: string): Promise<string> {
  const management = await bootstrap(agent)
  await create(agent, management, 'policy', { Name: 'bench', Rules: rules })
  return createToken(agent, management, ['bench'])
}

/** Returns the secret of a token that may do everything. */
function bootstrap(agent: AgentProcess): Promise<string> {
  return create(agent, '', 'bootstrap', {})
}

function createToken(
  agent: AgentProcess,
  management: string,
  policies: readonly string[],
): Promise<string> {
  return create(agent, management, 'token', { Policies: policies.map((Name) => ({ Name })) })
}

/** Returns the secret of what was created, if it is a token. */
async function create(
  { httpUrl }: AgentProcess,
  management: string,
  what: string,
  body: unknown,
): Promise<string> {
  const response = await fetch(`${httpUrl}/v1/acl/${what}`, {
    method: 'PUT',
    headers: { 'x-consul-token': management },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`acl/${what}: ${response.status} ${text}`)
  const { SecretID = '' } = JSON.parse(text) as { SecretID?: string }
  return SecretID
}

/** Rules that allow what the benches do, among others that do not matter for it. */
function rulesOf(policy: number, count: number): string {
  const lines = Array.from({ length: count - 4 }, (_, at) => {
    const kind = at % 2 === 0 ? 'service_prefix' : 'key_prefix'
    return `${kind} "team-${policy}/${at}/" { policy = "${at % 3 === 0 ? 'read' : 'write'}" }`
  })
  for (const kind of ['service', 'node', 'key', 'session']) {
    lines.push(`${kind}_prefix "${policy % 2 === 0 ? '' : `other-${policy}`}" { policy = "write" }`)
  }
  return lines.join('\n')
}

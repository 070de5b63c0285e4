import { randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { endpoints } from '../../src/api/endpoints/families.ts'
import { must } from '../../src/base/assert.ts'
import { methodsOf } from '../../src/http/endpoint.ts'
import { AgentProcess, runSvcd } from '../helpers/agent-process.ts'
import { Sqlite } from '../helpers/sqlite.ts'
import { TokenClient } from '../helpers/token-client.ts'
import { until } from '../helpers/until.ts'

// Secrets are sent in every way and to every wrong place. Then nothing that the agent has written or answers has any.

const management = randomUUID()
/** Secrets of the configuration file, and others that requests make. */
const secrets = new Map<string, string>([
  ['initial management', management],
  ['of DNS', randomUUID()],
  ['of the agent', randomUUID()],
  ['chosen', randomUUID()],
  ['in a faulty body', randomUUID()],
  ['of a service', randomUUID()],
  ['that no token has', randomUUID()],
  ['cluster key', randomBytes(32).toString('base64')],
])

function secretOf(name: string): string {
  return must(secrets.get(name), name)
}

/** Names of the secrets that a text contains. */
function foundIn(text: string): readonly string[] {
  return [...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => name)
}

interface Reached {
  readonly agent: AgentProcess
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>
}

function reach(agent: AgentProcess): Reached {
  return { agent, fetch: (path, init) => fetch(`${agent.httpUrl}/v1/${path}`, init) }
}

/** A path, and the rest of a request. */
type Way = readonly [
  path: string,
  init?: { method?: string; body?: string; headers?: Readonly<Record<string, string>> },
]

/** Sends one secret in each way in which a request carries a token, and where only an accessor ID belongs. */
async function sendEverywhere(
  { agent, fetch: send }: Reached,
  secret: string,
  isToken = true,
): Promise<string[]> {
  const ways: readonly Way[] = [
    ['kv/a', { headers: { 'X-Consul-Token': secret } }],
    ['kv/a', { headers: { Authorization: `Bearer ${secret}` } }],
    ['kv/a', { headers: { Authorization: `Basic ${secret}`, Cookie: `token=${secret}` } }],
    [`kv/a?token=${secret}`],
    [`kv/a?recurse&%74oken=${secret}&stale`],
    [`kv/a?token=${secret}`, { method: 'PUT', body: 'x' }],
    [`kv/a?token=${secret}`, { method: 'PUT', headers: { 'Sec-Fetch-Site': 'cross-site' } }],
    [`operator/raft/configuration?token=${secret}`],
    [`nonsense?token=${secret}`],
    [`/double//slash?token=${secret}`],
    [`kv?token=${secret}`],
    [`acl/token/self?token=${secret}`, { method: 'PUT', body: '{' }],
  ]
  const wrongPlaces: readonly Way[] = [
    [`acl/token/${secret}`],
    [`acl/token/${secret}`, { headers: { 'X-Consul-Token': secret } }],
    [`acl/token/${secret}`, { method: 'PUT', body: '{}' }],
    [`acl/token/${secret}/clone`, { method: 'PUT', body: '{}' }],
    [`acl/token/${secret}`, { method: 'DELETE' }],
    [`acl/why?accessor=${secret}&resource=key&access=read&name=a`],
  ]
  const texts: string[] = []
  // A text that no token has may be shown: it is not a secret.
  for (const [path, init] of isToken ? [...ways, ...wrongPlaces] : ways) {
    for (const by of ['', management]) {
      const headers = { ...(by === '' ? {} : { 'X-Consul-Token': by }), ...init?.headers }
      const response = await send(path, { ...init, headers, redirect: 'manual' })
      texts.push(`${init?.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`)
    }
  }
  const socket = connect(agent.httpPort, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.write(`GET /v1/kv/a?token=${secret} HTTP/1.1\r\nX-Consul-Token ${secret}\r\n\r\n`)
  await once(socket, 'close')
  return [...texts, answer]
}

/** Bodies with secrets, right and wrong ones. Returns the answers to the wrong ones. */
async function sendBodies(root: TokenClient, server: Reached): Promise<string[]> {
  for (const type of ['default', 'dns', 'agent', 'agent_recovery']) {
    await root.put(server, `agent/token/${type}`, { Token: secretOf('of DNS') })
  }
  await root.put(server, 'agent/token/default', { Token: '' })
  const secret = secretOf('in a faulty body')
  const Token = secretOf('of a service')
  const faulty: readonly (readonly [string, string, string])[] = [
    ['PUT', 'acl/token', `{"SecretID": "${secret}", x`],
    ['PUT', 'acl/token', `{"SecretID": "${secret}", "Nonsense": "${secret}"}`],
    ['PUT', 'acl/token', `{"SecretID": "${secretOf('chosen')}"}`],
    ['PUT', 'acl/token', `{"Policies": [{"ID": "${secret}"}], "Rules": "${secret}"}`],
    ['PUT', 'agent/token/default', `{"Token": ["${secret}"]}`],
    ['PUT', 'agent/token/dns', `{"Token": "${secret}`],
    ['PUT', 'acl/bootstrap', `{"BootstrapSecret": "${secret}"}`],
    ['PUT', 'agent/service/register', `{"Name": "s", "Token": "${Token}"}`],
    ['PUT', 'agent/check/register', `{"Name": "c", "TTL": "60s", "Token": "${Token}"}`],
    ['POST', 'query', `{"Name": "q", "Token": "${Token}", "Service": {"Service": "s"}}`],
  ]
  const texts: string[] = []
  for (const [method, path, body] of faulty) {
    const headers = { 'X-Consul-Token': root.secret }
    const response = await server.fetch(path, { method, body, headers })
    texts.push(`${path}: ${response.status} ${await response.text()}`)
  }
  return texts
}

/** The answers to GET of every endpoint, as far as they come within two seconds. */
async function everyGet(server: Reached, { secret }: TokenClient, ids: Record<string, string>) {
  const paths = endpoints
    .filter((row) => methodsOf(row).includes('GET') && row.path !== '/v1/snapshot')
    .map(({ path }) => path.replace(/\{(\w+)\}/, (_, name: string) => ids[name] ?? 'x'))
  return Promise.all(
    paths.map(async (path) => {
      const query = path.includes('monitor') ? '?loglevel=trace' : '?stale'
      let text = ''
      try {
        const response = await fetch(`${server.agent.httpUrl}${path}${query}`, {
          headers: { 'X-Consul-Token': secret },
          signal: AbortSignal.timeout(2000),
        })
        text += JSON.stringify([...response.headers])
        for await (const chunk of must(response.body)) text += Buffer.from(chunk).toString()
      } catch {
        // A stream does not end by itself.
      }
      return { path, text }
    }),
  )
}

/** Undefined: the leader has not made it yet. */
function cookieSecretIn(dataDirectory: string): string | undefined {
  const db = new Sqlite(join(dataDirectory, 'state.db'), { readonly: true })
  try {
    return db.prepare<[], string>('SELECT secret FROM dns_cookie').pluck().get()
  } finally {
    db.close()
  }
}

function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}

t.test(
  'no log line, GET, debug archive, audit line or error text contains a secret',
  { timeout: 120_000 },
  async (t) => {
    const directory = t.testdir({ data: {} })
    const audit = join(directory, 'audit.log')
    const file = join(directory, 'svcd.json')
    const tokens = {
      initial_management: management,
      dns: secretOf('of DNS'),
      agent: secretOf('of the agent'),
    }
    const acl = { enabled: true, default_policy: 'deny', tokens }
    writeFileSync(file, JSON.stringify({ acl, encrypt: secretOf('cluster key') }))
    const agent = await AgentProcess.start({
      args: [
        '-server',
        '-bootstrap-expect=1',
        '-bind=127.0.0.1',
        `-data-dir=${join(directory, 'data')}`,
        `-config-file=${file}`,
        '-log-level=trace',
        `-audit-log=${audit}`,
      ],
    })
    t.teardown(() => agent.kill())
    await agent.until('created the token of acl.tokens.initial_management')
    const server = reach(agent)
    const root = new TokenClient(management)
    const cookies = (): string | undefined => cookieSecretIn(join(directory, 'data'))
    secrets.set('of DNS cookies', await until('a secret of DNS cookies', 30_000, cookies))
    const reader = 'builtin/global-read-only'
    const made = await root.put(server, 'acl/token', {
      SecretID: secretOf('chosen'),
      Policies: [{ Name: reader }],
    })
    const { client: readOnly } = await root.token(server, [reader])
    secrets.set('made by svcd', readOnly.secret)
    const { id: goneId, client: gone } = await root.token(server, [reader])
    secrets.set('deleted', gone.secret)
    const clone = await root.put(server, `acl/token/${must(made['AccessorID'])}/clone`, {})
    secrets.set('clone', must(clone['SecretID']))

    const texts = await sendBodies(root, server)
    texts.push(...(await sendEverywhere(server, gone.secret)))
    await root.ask(server, 'DELETE', `acl/token/${goneId}`)
    for (const name of ['deleted', 'chosen', 'made by svcd', 'that no token has']) {
      const isToken = name === 'chosen' || name === 'made by svcd'
      texts.push(...(await sendEverywhere(server, secretOf(name), isToken)))
    }
    for (const text of texts) {
      const answer = text.slice(text.indexOf(': ') + 2)
      if (foundIn(answer).length > 0) t.fail(`an answer has a secret: ${text}`)
    }
    await agent.signal('SIGHUP', 'reloaded definition and zone files')

    const ids = { accessor: must(made['AccessorID']), service_id: 's', service: 's', key: 'a' }
    const names = { name: 'q', query: 'q', node: 'n1', state: 'any', profile: 'heap', id: 'x' }
    for (const client of [readOnly, root]) {
      const answers = await everyGet(server, client, { ...ids, ...names })
      t.ok(answers.length > 50, `${answers.length} endpoints`)
      for (const { path, text } of answers) {
        // Documented: a token shows itself, and managers see a new token and the token of a query.
        const own = path === '/v1/acl/token/self' ? client.secret : '-'
        const isForManagers = /^\/v1\/(?:acl\/token\/|query)/.test(path) && client === root
        if (isForManagers) continue
        t.strictSame(foundIn(text.replaceAll(own, '')), [], path)
      }
    }
    const archive = join(directory, 'debug.tar.gz')
    for (const secret of [management, readOnly.secret]) {
      const words = [`-output=${archive}`, '-duration=1s', `-token=${secret}`]
      const { code, out, err } = await runSvcd(agent.httpUrl, 'debug', ...words)
      t.match({ code, found: foundIn(out + err) }, { code: 0, found: [] })
      t.strictSame(foundIn(gunzipSync(readFileSync(archive)).toString('latin1')), [])
    }
    for (const words of [
      ['acl', 'token', 'read', '-id', readOnly.secret, '-token', management],
      ['kv', 'put', 'a', 'b', '-token', readOnly.secret],
      ['kv', 'get', 'a', '-token', secretOf('that no token has')],
    ]) {
      const { code, out, err } = await runSvcd(agent.httpUrl, ...words)
      t.match({ code, found: foundIn(out + err) }, { code: 1, found: [] }, words.join(' '))
    }
    await agent.stop()
    t.ok(agent.output.split('\n').length > 200, 'the log is long')
    t.match(agent.output, /HTTP request finished/)
    t.strictSame(foundIn(agent.output), [], 'the log')
    t.match(readFileSync(audit, 'utf8'), /"outcome":"denied"/)
    t.strictSame(foundIn(readFileSync(audit, 'utf8')), [], 'the audit log')
    for (const path of filesIn(join(directory, 'data'))) {
      const found = foundIn(readFileSync(path, 'latin1'))
      // Documented: the token of a prepared query is stored as it is, and so is the secret of DNS cookies.
      const kept = found.filter((name) => name !== 'of a service' && name !== 'of DNS cookies')
      t.strictSame(kept, [], path)
    }
  },
)

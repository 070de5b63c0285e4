import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { silentLogger } from '../../../src/base/log.ts'
import type { Tokens } from '../../../src/ports/tokens.ts'
import { aclFamily } from '../../../src/state/acl/family.ts'
import { TokenBook } from '../../../src/tokens/token-book.ts'
import { nameOf, ownNode, suffixes, textOf } from '../../helpers/plain-rules.ts'
import type { PlainRule } from '../../helpers/plain-rules.ts'
import { TestApi } from '../support.ts'
import type { Reply } from '../support.ts'

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'

/** No two nodes, or queries, have names that differ in their case only. */
export const lowerSuffixes = ['a', 'ab', 'abc', 'b'] as const

/**
 * Text that something contains, and that says who may read it: `mark(service:svc-a node:node-b)` stands in an instance
 * of svc-a on node-b. So whatever an answer shows, it says itself which rights it needs.
 */
export function mark(...parts: readonly string[]): string {
  return `mark(${parts.join(' ')})`
}

/** `10.0.0.N` of a node. */
export function nodeAddress(node: string): string {
  return `10.0.0.${1 + lowerSuffixes.findIndex((suffix) => nameOf('node', suffix) === node)}`
}

/** `10.S.N.1` of an instance. */
export function instanceAddress(node: string, service: string): string {
  const at = suffixes.findIndex((suffix) => nameOf('service', suffix) === service)
  return nodeAddress(node).replace(/^10\.0\.0\.(\d+)$/, `10.${at + 1}.$1.1`)
}

/** A node whose own text tells that it is its. */
export function nodeBody(node: string) {
  const NodeMeta = { mark: mark(`node:${node}`) }
  return { Node: node, Address: nodeAddress(node), NodeMeta }
}

/** An instance with a check, on a node that stays as it is. */
export function instanceBody(node: string, service: string) {
  const text = mark(`node:${node}`, `service:${service}`)
  return {
    Node: node,
    Address: nodeAddress(node),
    SkipNodeUpdate: true,
    Service: {
      Service: service,
      Address: instanceAddress(node, service),
      Port: 80,
      Tags: ['tag'],
      Meta: { mark: text },
      Connect: { Native: true },
    },
    Check: checkBody(node, service),
  }
}

export function checkBody(node: string, service: string) {
  const text = mark(`node:${node}`, `service:${service}`)
  const CheckID = `${service}-check`
  return { CheckID, Name: 'check', Status: 'passing', Output: text, ServiceID: service }
}

/** A service of the agent, with a check. */
export function agentServiceBody(service: string) {
  const text = mark(`service:${service}`)
  const Check = { CheckID: `own-${service}`, TTL: '1h', Notes: text, Status: 'passing' }
  return { Name: service, Meta: { mark: text }, Check }
}

export const ownCheckBody = {
  ID: 'own-check',
  Name: 'own-check',
  TTL: '1h',
  Notes: mark(`node:${ownNode}`),
}

export function queryBody(suffix: string) {
  return { Name: nameOf('query', suffix), Service: { Service: nameOf('service', suffix) } }
}

/** Each lower suffix has one: to the next, and the last to one that differs from the first in its case. */
export function intentionPair(suffix: string): readonly [source: string, destination: string] {
  const next = lowerSuffixes[lowerSuffixes.findIndex((each) => each === suffix) + 1] ?? 'A'
  return [nameOf('service', suffix), nameOf('service', next)]
}

export function intentionBody(suffix: string) {
  const [source, destination] = intentionPair(suffix)
  return {
    SourceName: source,
    DestinationName: destination,
    Action: 'allow',
    Description: mark(`intention:${source}|${destination}`),
  }
}

/** A session says its node, and sessions have rules of their own. */
export function sessionBody(node: string) {
  return { Node: node, NodeChecks: [], Name: mark(`session:${node}`) }
}

export const policyBody = { Name: 'of-the-fuzz', Rules: 'operator = "read"' }

/** A cluster of one node over which requests with random tokens run, and the first token, which mends what they change. */
export class World {
  readonly api: TestApi
  readonly tokens: Tokens
  /** IDs by node and by the suffix of the name, or of the source. */
  readonly sessions = new Map<string, string>()
  readonly queries = new Map<string, string>()
  readonly intentions = new Map<string, string>()
  policy = ''
  role = ''
  token = ''
  requests = 0
  #root = ''
  readonly #ids = new Map<string, string>()

  constructor(t: Test, defaultPolicy: 'allow' | 'deny') {
    const books: TokenBook[] = []
    const book = (): TokenBook => must(books[0])
    this.tokens = {
      isEnabled: true,
      defaultPolicy,
      requester: (secret) => book().requester(secret),
      isSecret: (text) => book().isSecret(text),
      onChange: (listener) => book().onChange(listener),
    }
    this.api = new TestApi(t, {
      tokens: this.tokens,
      explanations: {
        explain: (...question) => book().explain(...question),
        rulesOf: (accessorId) => book().rulesOf(accessorId),
      },
      limits: { waitingMax: 0 },
      wallMs: () => 1_900_000_000_000,
    })
    const parts = {
      state: this.api.backend.of(aclFamily),
      datacenter: 'dc1',
      nodeName: 'n1',
      clock: { wallMs: () => 1_900_000_000_000 },
      logger: silentLogger,
    }
    books.push(new TokenBook({ isEnabled: true, defaultPolicy, defaultSecret: undefined }, parts))
    t.teardown(() => book().stop())
  }

  ask(secret: string, method: Method, path: string, body?: unknown): Promise<Reply> {
    this.requests++
    const url = path.startsWith('/') ? path : `/v1/${path}`
    return this.api.ask(method, url, body, { 'x-consul-token': secret })
  }

  /** A request with the first token, which must succeed; its answer. */
  async do(method: Method, path: string, body?: unknown): Promise<Json> {
    const reply = await this.ask(this.#root, method, path, body)
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`)
    return (reply.body === '' ? {} : JSON.parse(reply.body)) as Json
  }

  /** The secret of the first token. */
  get root(): string {
    return this.#root
  }

  async seed(): Promise<void> {
    const first = await this.api.ask('PUT', '/v1/acl/bootstrap')
    this.#root = (JSON.parse(first.body) as Json)['SecretID'] ?? ''
    for (const suffix of lowerSuffixes) await this.seedNode(nameOf('node', suffix))
    for (const suffix of suffixes) {
      await this.do('PUT', 'agent/service/register', agentServiceBody(nameOf('service', suffix)))
      await this.seedKey(nameOf('key', suffix))
      await this.seedKey(`${nameOf('key', suffix)}/below`)
      await this.fire(nameOf('event', suffix))
    }
    for (const suffix of lowerSuffixes) {
      await this.seedQuery(suffix)
      await this.seedIntention(suffix)
    }
    await this.seedSession(ownNode)
    await this.do('PUT', 'agent/check/register', ownCheckBody)
    const own = [{ Name: policyBody.Name }]
    this.policy = (await this.do('PUT', 'acl/policy', policyBody))['ID'] ?? ''
    this.role =
      (await this.do('PUT', 'acl/role', { Name: 'role-of-the-fuzz', Policies: own }))['ID'] ?? ''
    this.token = (await this.do('PUT', 'acl/token', { Policies: own }))['AccessorID'] ?? ''
  }

  async seedNode(node: string): Promise<void> {
    await this.do('PUT', 'catalog/register', nodeBody(node))
    for (const suffix of suffixes) {
      await this.do('PUT', 'catalog/register', instanceBody(node, nameOf('service', suffix)))
    }
    await this.seedSession(node)
  }

  async seedSession(node: string): Promise<void> {
    this.sessions.set(node, (await this.do('PUT', 'session/create', sessionBody(node)))['ID'] ?? '')
  }

  async seedQuery(suffix: string): Promise<void> {
    this.queries.set(suffix, (await this.do('POST', 'query', queryBody(suffix)))['ID'] ?? '')
  }

  async seedIntention(suffix: string): Promise<void> {
    const made = await this.do('POST', 'connect/intentions', intentionBody(suffix))
    this.intentions.set(suffix, made['ID'] ?? '')
  }

  async seedKey(key: string): Promise<void> {
    await this.do('PUT', `kv/${key}`, mark(`key:${key}`))
  }

  /** Each key is locked by a session of the node with its suffix. */
  async lockKeys(): Promise<void> {
    for (const suffix of lowerSuffixes) {
      const session = this.sessions.get(nameOf('node', suffix)) ?? ''
      const key = nameOf('key', suffix)
      await this.do('PUT', `kv/${key}?acquire=${session}`, mark(`key:${key}`))
    }
  }

  async fire(event: string): Promise<void> {
    await this.do('PUT', `event/fire/${event}`, mark(`event:${event}`))
  }

  /** Gives the rules to policies, half of them in a role; what a token with all of them is made of. */
  async grants(rules: readonly PlainRule[]): Promise<Grants> {
    const names: { Name: string }[] = []
    for (const [part, texts] of partsOf(rules).entries()) {
      await this.#put('policy', `p${part}`, { Rules: texts.join('\n') })
      names.push({ Name: `p${part}` })
    }
    await this.#put('role', 'r', { Policies: names.filter((_, part) => part % 2 === 0) })
    return { Policies: names.filter((_, part) => part % 2 === 1), Roles: [{ Name: 'r' }] }
  }

  /** The same, and a policy that denies one thing more. */
  async narrowed(grants: Grants, deny: PlainRule): Promise<Grants> {
    await this.#put('policy', 'deny', { Rules: textOf(deny) })
    return { ...grants, Policies: [...grants.Policies, { Name: 'deny' }] }
  }

  /** Makes the token of a digit, or gives it these rights; its secret. */
  async setToken(digit: number, grants: Grants): Promise<string> {
    const AccessorID = `00000000-0000-4000-8000-00000000000${digit}`
    const SecretID = `11111111-0000-4000-8000-00000000000${digit}`
    const isKnown = this.#ids.has(SecretID)
    const path = isKnown ? `acl/token/${AccessorID}` : 'acl/token'
    await this.do('PUT', path, { AccessorID, SecretID, ...grants })
    this.#ids.set(SecretID, AccessorID)
    return SecretID
  }

  async #put(what: 'policy' | 'role', Name: string, fields: object): Promise<void> {
    const key = `${what} ${Name}`
    const ID = this.#ids.get(key)
    const body = ID === undefined ? { Name, ...fields } : { ID, Name, ...fields }
    const made = await this.do('PUT', `acl/${what}${ID === undefined ? '' : `/${ID}`}`, body)
    this.#ids.set(key, made['ID'] ?? '')
  }
}

type Json = Readonly<Record<string, string>>

export interface Grants {
  readonly Policies: readonly { readonly Name: string }[]
  readonly Roles: readonly { readonly Name: string }[]
}

/** Rules of the same name in different policies, because a policy has one of each at most. */
function partsOf(rules: readonly PlainRule[]): readonly (readonly string[])[] {
  const parts: Map<string, string>[] = []
  for (const [at, rule] of rules.entries()) {
    const key = `${rule.kind} ${rule.isPrefix} ${rule.name}`
    const free = parts.find((part, place) => place % 3 === at % 3 && !part.has(key))
    if (free !== undefined) free.set(key, textOf(rule))
    else parts.push(new Map([[key, textOf(rule)]]))
  }
  return parts.map((part) => [...part.values()])
}

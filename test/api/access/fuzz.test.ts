import fc from 'fast-check'
import t from 'tap'
import { endpoints } from '../../../src/api/endpoints/families.ts'
import { methodsOf } from '../../../src/http/endpoint.ts'
import { TestTokens } from '../../helpers/test-tokens.ts'
import { TestApi } from '../support.ts'

/** Requests in all; `npm run long` sends more. */
const requestsMax = Number(process.env['SVCD_ACCESS_REQUESTS'] ?? 3000)

type Kind = 'event' | 'key' | 'node' | 'query' | 'service' | 'session'

interface PlainRule {
  readonly kind: Kind
  readonly isPrefix: boolean
  readonly name: string
  readonly level: 'read' | 'write' | 'deny'
}

const names = ['a', 'ab', 'abc', 'b', 'ba'] as const
const kinds: readonly Kind[] = ['event', 'key', 'node', 'query', 'service', 'session']
const anyRule: fc.Arbitrary<PlainRule> = fc.record({
  kind: fc.constantFrom(...kinds),
  isPrefix: fc.boolean(),
  name: fc.constantFrom('', ...names),
  level: fc.constantFrom('read', 'write', 'deny'),
})
const anyRules = fc.array(anyRule, { maxLength: 12 })
const textOf = (rules: readonly PlainRule[]): readonly string[] =>
  rules.map(
    ({ kind, isPrefix, name, level }) =>
      `${kind}${isPrefix ? '_prefix' : ''} ${JSON.stringify(name)} { policy = "${level}" }`,
  )

/** The rule book in its shortest form: an exact rule, else the longest prefix, else the default; deny wins. */
function naive(rules: readonly PlainRule[], isOpen: boolean) {
  return (kind: Kind, name: string, access: 'read' | 'write'): boolean => {
    const own = rules.filter(
      (rule) =>
        rule.kind === kind && (rule.isPrefix ? name.startsWith(rule.name) : name === rule.name),
    )
    const rank = (rule: PlainRule): number => (rule.isPrefix ? rule.name.length : Infinity)
    const best = Math.max(...own.map(rank))
    const deciding = own.filter((rule) => rank(rule) === best).map(({ level }) => level)
    if (deciding.length === 0) return isOpen
    if (deciding.includes('deny')) return false
    return access === 'read' || deciding.includes('write')
  }
}

/** Every node has a service of each name, with a check; there are keys, sessions, events and queries of each name. */
async function seed(api: TestApi): Promise<void> {
  const put = async (path: string, body?: unknown, method: 'PUT' | 'POST' = 'PUT') => {
    const { status, body: text } = await api.ask(method, `/v1/${path}`, body, {
      'x-consul-token': 'root',
    })
    if (status !== 200) throw new Error(`${path}: ${text}`)
  }
  for (const name of names) {
    const node = { Node: name, Address: '10.0.0.1' }
    for (const service of names) {
      const Check = { CheckID: service, Name: service, Status: 'passing', ServiceID: service }
      await put('catalog/register', { ...node, Service: { Service: service }, Check })
    }
    await put(`kv/${name}`, 'x')
    await put('session/create', { Node: name, NodeChecks: [] })
    await put(`event/fire/${name}`)
    await put('query', { Name: name, Service: { Service: name } }, 'POST')
    await put('agent/service/register', { Name: name })
  }
}

/** A row of a list, as the names of what it shows. */
type Shown = readonly (readonly [Kind, string])[]

const rows = (body: string): readonly Record<string, never>[] =>
  body === '' || body === 'null' ? [] : (JSON.parse(body) as Record<string, never>[])
const instance = (row: Record<string, never>): Shown => [
  ['node', row['Node'] ?? ''],
  // A check of the node has none.
  ...(row['ServiceName'] ? [['service', row['ServiceName']] as const] : []),
]
const whole = (row: { Node?: { Node: string }; Service?: { Service: string } }): Shown => [
  ['node', row.Node?.Node ?? ''],
  ['service', row.Service?.Service ?? ''],
]
const all =
  (of: (row: never) => Shown) =>
  (body: string): readonly Shown[] =>
    rows(body).map((row) => of(row as never))
const keys =
  (kind: Kind) =>
  (body: string): readonly Shown[] =>
    Object.keys(JSON.parse(body === '' ? '{}' : body) as object).map((name) => [[kind, name]])
const field =
  (kind: Kind, name: string) =>
  (body: string): readonly Shown[] =>
    rows(body).map((row) => [[kind, row[name] ?? '']])

const reads: readonly (readonly [string, (body: string) => readonly Shown[]])[] = [
  ['catalog/services', keys('service')],
  ['catalog/nodes', field('node', 'Node')],
  ...(names.flatMap((name) => [
    [`catalog/service/${name}`, all(instance)] as const,
    [`health/service/${name}`, all(whole)] as const,
    [`health/checks/${name}`, all(instance)] as const,
    [`health/node/${name}`, all(instance)] as const,
    [`session/node/${name}`, field('session', 'Node')] as const,
    [
      `query/${name}/execute`,
      (body: string) => (JSON.parse(body) as { Nodes: never[] }).Nodes.map((row) => whole(row)),
    ] as const,
    [
      `catalog/node/${name}`,
      (body: string) => {
        const found = JSON.parse(body) as { Services: Record<string, unknown> } | null
        const services = Object.keys(found?.Services ?? {})
        return found === null
          ? []
          : [[['node', name]], ...services.map((each) => [['service', each]])]
      },
    ] as const,
  ]) as never),
  ['health/state/any', all(instance)],
  ['health/summary', field('service', 'Name')],
  ['health/node-summary', field('node', 'Node')],
  ['kv/?recurse', field('key', 'Key')],
  ['kv/?keys', (body) => (JSON.parse(body) as string[]).map((key) => [['key', key]])],
  ['session/list', field('session', 'Node')],
  ['event/list', field('event', 'Name')],
  ['query', field('query', 'Name')],
  ['agent/services', keys('service')],
]

t.test('what a token sees is what its rules allow, and a deny more never widens it', async (t) => {
  const runs = Math.max(5, Math.ceil(requestsMax / reads.length / 2))
  for (const byDefault of ['deny', 'allow'] as const) {
    const tokens = new TestTokens(byDefault)
    const api = new TestApi(t, { tokens })
    await seed(api)
    const see = async (path: string, rules: readonly PlainRule[], of: (typeof reads)[0][1]) => {
      tokens.set('some', ...textOf(rules))
      const { status, body } = await api.ask('GET', `/v1/${path}`, undefined, {
        'x-consul-token': 'some',
      })
      if (status !== 200 && status !== 404) throw new Error(`${path}: ${status} ${body}`)
      // A list of keys without keys is a 404.
      return status === 404 ? [] : of(body)
    }
    const full = new Map<string, number>()
    for (const [path, of] of reads) full.set(path, (await see(path, allRules, of)).length)
    const property = fc.asyncProperty(anyRules, anyRule, async (rules, more) => {
      const may = naive(rules, byDefault === 'allow')
      const denied = [...rules, { ...more, level: 'deny' } as const]
      const mayStill = naive(denied, byDefault === 'allow')
      for (const [path, of] of reads) {
        const before = new Set<string>()
        for (const shown of await see(path, rules, of)) {
          before.add(JSON.stringify(shown))
          // Services of nodes that are no services of this cluster's own are not asked for.
          const wrong = shown.filter(([kind, name]) => !may(kind, name, 'read'))
          if (wrong.length > 0) throw new Error(`${path} shows ${JSON.stringify(wrong)}`)
        }
        for (const shown of await see(path, denied, of)) {
          const text = JSON.stringify(shown)
          if (!before.has(text)) throw new Error(`${path} shows ${text} after a deny`)
          if (shown.some(([kind, name]) => !mayStill(kind, name, 'read'))) {
            throw new Error(`${path} shows ${text} although it is denied`)
          }
        }
      }
    })
    await fc.assert(property, { numRuns: Math.ceil(runs / 2) })
    t.pass(`by default ${byDefault}`)
  }
})

const allRules: readonly PlainRule[] = kinds.map((kind) => ({
  kind,
  isPrefix: true,
  name: '',
  level: 'write',
}))

t.test('no write succeeds that the rules do not allow', async (t) => {
  const tokens = new TestTokens()
  const api = new TestApi(t, { tokens })
  await seed(api)
  let run = 0
  const writes = (name: string): readonly (readonly [Kind, string, string, unknown])[] => [
    ['key', 'PUT', `kv/${name}`, 'y'],
    ['service', 'PUT', 'agent/service/register', { Name: name }],
    ['service', 'PUT', `agent/service/maintenance/${name}?enable=false`, undefined],
    ['session', 'PUT', 'session/create', { Node: name, NodeChecks: [] }],
    ['event', 'PUT', `event/fire/${name}`, undefined],
    // What changes nothing of the node needs no right to it.
    [
      'node',
      'PUT',
      'catalog/register',
      { Node: name, Address: '10.0.0.1', NodeMeta: { x: String(run) } },
    ],
  ]
  const property = fc.asyncProperty(anyRules, fc.constantFrom(...names), async (rules, name) => {
    const may = naive(rules, false)
    tokens.set('some', ...textOf(rules))
    run++
    for (const [kind, method, path, body] of writes(name)) {
      const headers = { 'x-consul-token': 'some' }
      const { status } = await api.ask(method as 'PUT', `/v1/${path}`, body, headers)
      const expected = may(kind, name, 'write') ? 200 : 403
      if (status !== expected) throw new Error(`${path}: ${status} instead of ${expected}`)
    }
  })
  await fc.assert(property, { numRuns: Math.ceil(requestsMax / 60) })
  t.pass()
})

t.test('the reads of this test are the lists of the table', async (t) => {
  const asked = reads.map(([path]) => `/v1/${path.replace(/\?.*/, '')}`)
  const lists = endpoints.filter(
    (row) => 'filteredBy' in row.permission && methodsOf(row).includes('GET'),
  )
  const others =
    /^\/v1\/(?:watch|catalog\/(?:connect|gateway|node-services)|health\/(?:connect|ingress)|agent\/(?:members|checks|health)|session\/info)/
  for (const { path } of lists) {
    if (others.test(path)) continue
    const begin = path.replace(/\{.*/, '')
    t.ok(
      asked.some((each) => each.startsWith(begin)),
      path,
    )
  }
})

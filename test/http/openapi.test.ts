import { Validator } from '@seriousme/openapi-schema-validator'
import { fastify } from 'fastify'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { endpoints } from '../../src/api/endpoints/families.ts'
import { methodsOf, routeOf } from '../../src/http/endpoint.ts'
import { must } from '../../src/base/assert.ts'
import { fixedDns } from '../helpers/fixed-dns.ts'
import { queryDefinition, queryId } from '../helpers/queries.ts'
import { TestApi } from '../api/support.ts'

type Json = Readonly<Record<string, unknown>>
interface Operation {
  readonly summary?: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Json }>> }
  readonly responses: Readonly<
    Record<string, { content?: Readonly<Record<string, { schema: Json }>> }>
  >
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Json>> }
}

const documentOf = (api: TestApi): Promise<Document> => api.json<Document>('openapi.json')

t.test('the document is valid OpenAPI and has every route', async (t) => {
  const api = new TestApi(t)
  const urls = new Set<string>()
  api.app.addHook('onRoute', ({ url }) => {
    if (url.startsWith('/v1/')) urls.add(url)
  })
  const document = await documentOf(api)
  const { valid, errors } = await new Validator().validate({ ...document })
  t.equal(valid, true, JSON.stringify(errors)?.slice(0, 2000))
  t.equal(document.openapi, '3.1.0')
  const described = new Set<string>()
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations)) {
      described.add(`${method.toUpperCase()} ${path.slice(4).replace(/\{.*\}/, '*')}`)
    }
  }
  const routes = await routesOf(api, urls)
  t.ok(routes.length > 40, 'the routes were found')
  const bare = routes.filter((route) => !described.has(route))
  t.strictSame(bare, [], 'routes without a row')
  const rows = endpoints
    .filter(({ path }) => path.startsWith('/v1/'))
    .flatMap((row) => methodsOf(row).map((method) => `${method} ${routeOf(row.path).url.slice(4)}`))
  t.strictSame(
    rows.filter((row) => !routes.includes(row)),
    [],
    'rows without a route',
  )
})

/** `GET health/service/*` and so on, as OPTIONS tells; paths that only redirect have no methods. */
async function routesOf(api: TestApi, urls: ReadonlySet<string>): Promise<readonly string[]> {
  const routes: string[] = []
  for (const url of urls) {
    const { headers } = await api.ask('OPTIONS', url.replace('*', 'x'))
    const methods = String(headers['allow'] ?? '').split(',')
    for (const method of methods) {
      if (method !== '' && method !== 'OPTIONS') routes.push(`${method} ${url.slice(4)}`)
    }
  }
  return routes
}

const service = {
  Name: 'web',
  ID: 'web-1',
  Address: '10.9.0.1',
  Port: 80,
  Tags: ['v1'],
  Check: { TTL: '1h', Status: 'passing' },
}

const bodies: Readonly<Record<string, unknown>> = {
  'put /v1/agent/service/register': service,
  'put /v1/agent/check/register': { Name: 'mem', TTL: '10s' },
  'put /v1/agent/check/update/{check_id}': { Status: 'passing' },
  'put /v1/catalog/register': { Node: 'ext', Address: '10.0.0.9', Service: { Service: 'db' } },
  'put /v1/catalog/deregister': { Node: 'ext' },
  'put /v1/kv/{key}': 'a value',
  'post /v1/query': { Name: 'other', Service: { Service: 'web' } },
  'put /v1/query/{query}': { Name: 'changed', Service: { Service: 'web' } },
}

const values: Readonly<Record<string, string>> = {
  service_id: 'web-1',
  check_id: 'service:web-1',
  service: 'web',
  node: 'n1',
  state: 'any',
  enable: 'false',
  address: '127.0.0.1:8300',
  key: 'config/port',
  query: queryId(1),
}

async function filledApi(t: Test): Promise<TestApi> {
  const api = new TestApi(t, { dns: fixedDns })
  await api.put('agent/service/register', service)
  await api.put('kv/config/port', '80')
  const definition = queryDefinition({ name: 'best' })
  api.backend.apply({ kind: 'query-put', id: queryId(1), mode: 'any', definition })
  return api
}

t.test('every operation answers with a status and a body that it documents', async (t) => {
  const { paths, components } = await documentOf(new TestApi(t))
  const judge = schemaJudge(components.schemas)
  t.teardown(() => judge.app.close())
  // Reads change nothing, so they share one.
  const forReads = await filledApi(t)
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const name = `${method} ${path}`
      // A stream does not end, and a stop answers nobody.
      const isStream = path.startsWith('/v1/watch/') || /\/(?:monitor|stream)$/.test(path)
      if (method === 'head' || isStream || path.endsWith('/leave')) continue
      const api = method === 'get' ? forReads : await filledApi(t)
      const { status, body, headers } = await api.ask(
        method.toUpperCase() as 'GET',
        urlOf(path, operation),
        bodies[name],
      )
      t.not(status, 404, name)
      t.not(status, 405, name)
      const documented = operation.responses[status]
      t.ok(documented, `${name} documents ${status}: ${body.slice(0, 80)}`)
      const type = String(headers['content-type']).split(';')[0] ?? ''
      const content = documented?.content
      if (content === undefined) t.equal(body, '', `${name} says nothing`)
      else if (type === 'application/json') {
        const { schema } = must(content[type], `${name} answers JSON`)
        t.equal(await judge.fault(schema, body), '', `${name}: its body is as documented`)
      } else t.ok(content[type], `${name} documents ${type}`)
    }
  }
})

function urlOf(path: string, { parameters = [] }: Operation): string {
  const url = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? '')
  const query = parameters
    .filter(({ name, in: place }) => place === 'query' && ['enable', 'address'].includes(name))
    .map(({ name }) => `${name}=${values[name] ?? ''}`)
  return query.length === 0 ? url : `${url}?${query.join('&')}`
}

/** Says what is wrong with a JSON text by a schema; fastify has a validator. */
function schemaJudge(schemas: Document['components']['schemas']): {
  readonly app: FastifyInstance
  fault(schema: Json, body: string): Promise<string>
} {
  const app = fastify()
  const local = (schema: unknown): Json =>
    JSON.parse(
      JSON.stringify(schema).replaceAll(/"#\/components\/schemas\/([^"/]+)"/g, '"$1#"'),
    ) as Json
  for (const [name, schema] of Object.entries(schemas)) {
    app.addSchema({ ...local(schema), $id: name })
  }
  app.post('/', (request) => {
    const { schema, value } = request.body as { schema: Json; value: unknown }
    const check = request.compileValidationSchema(local(schema))
    return check(value) ? '' : JSON.stringify(check.errors)
  })
  return {
    app,
    fault: async (schema, body) => {
      const payload = { schema, value: JSON.parse(body) as unknown }
      const response = await app.inject({ method: 'POST', url: '/', payload })
      return response.body
    },
  }
}

t.test('the bodies that are documented are those that are read', async (t) => {
  const { paths } = await documentOf(new TestApi(t))
  const operation = paths['/v1/agent/service/register']?.['put']
  const schema = operation?.requestBody?.content['application/json']?.schema
  t.match(schema, {
    type: 'object',
    properties: {
      Name: { type: 'string' },
      Tags: { type: 'array', items: { type: 'string' } },
      Meta: { type: 'object', additionalProperties: { type: 'string' } },
      Check: { type: 'object', properties: { TTL: {}, HTTP: { type: 'string' } } },
    },
  })
})

import { gunzipSync } from 'node:zlib'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { everything } from '../../src/access/rights.ts'
import type { Caller } from '../../src/access/caller.ts'
import { must } from '../../src/base/assert.ts'
import { endpoint } from '../../src/api/context.ts'
import { endpoints } from '../../src/api/endpoints/families.ts'
import { reads } from '../../src/http/read.ts'
import type { QuestionOf } from '../../src/http/read.ts'
import { watches } from '../../src/api/streams/watches.ts'
import type { CatalogReader } from '../../src/state/catalog/query.ts'
import { subject } from '../../src/state/catalog/subjects.ts'
import { TestTokens } from '../helpers/test-tokens.ts'
import { TestApi } from './support.ts'

const alice: Caller = { name: 'alice', rights: everything }
const bob: Caller = { name: 'bob', rights: everything }
type Name = 'alice' | 'bob'

/** Two callers with different rights: each sees the rows that bear its name, and there are `rows` of them. */
function ownRows(rows: number, made: string[]): QuestionOf<CatalogReader> {
  return ({ catalog }) => ({
    state: catalog,
    subject: subject.services,
    answer: (reader, { caller }) => {
      made.push(caller.name)
      const index = reader.indexOf(subject.services)
      const own = Array.from({ length: rows }, (_, n) => ({ of: caller.name, n, index }))
      return { kind: 'list', rows: own }
    },
  })
}

/** An API with three endpoints more, whose answers depend on who asks. */
function apiOf(t: Test) {
  const made = { short: [] as string[], long: [] as string[], watched: [] as string[] }
  const row = { method: 'GET', permission: { none: 'for this test' }, summary: 'A test' } as const
  const api = new TestApi(t, {
    tokens: new TestTokens('allow').setCaller('alice', alice).setCaller('bob', bob),
    endpoints: [
      ...endpoints,
      endpoint({ ...row, path: '/v1/test/short', handle: reads(ownRows(100, made.short)) }),
      endpoint({ ...row, path: '/v1/test/long', handle: reads(ownRows(2000, made.long)) }),
      endpoint({ ...row, path: '/v1/test/watch', handle: watches(ownRows(3, made.watched)) }),
    ],
  })
  const ask = (name: Name, path: string, headers: Record<string, string> = {}) =>
    api.app.inject({ url: `/v1/test/${path}`, headers: { 'x-consul-token': name, ...headers } })
  return { api, made, ask }
}

const namesIn = (body: string): string[] => [
  ...new Set((JSON.parse(body) as { of: string }[]).map(({ of }) => of)),
]

t.test('an answer is shared by requests of one caller, and never with another one', async (t) => {
  const { api, made, ask } = apiOf(t)
  for (const name of ['alice', 'bob', 'alice', 'bob'] as const) {
    t.strictSame(namesIn((await ask(name, 'short')).body), [name])
  }
  t.strictSame(made.short, ['alice', 'bob'], 'each answer is made once')
  const plain = await api.get('test/short')
  t.strictSame(namesIn(plain.body), ['anonymous'])
})

t.test('compressed answers are kept apart, too', async (t) => {
  const { made, ask } = apiOf(t)
  for (const name of ['alice', 'bob', 'bob', 'alice'] as const) {
    const reply = await ask(name, 'short', { 'accept-encoding': 'gzip' })
    t.equal(reply.headers['content-encoding'], 'gzip')
    t.strictSame(namesIn(gunzipSync(reply.rawPayload).toString()), [name])
  }
  t.strictSame(made.short, ['alice', 'bob'])
})

t.test('a long answer under way is joined by requests of the same caller only', async (t) => {
  const { api, ask } = apiOf(t)
  const before = api.backend.sliced
  const names = ['alice', 'bob', 'alice', 'bob', 'alice'] as const
  const replies = await Promise.all(names.map((name) => ask(name, 'long')))
  for (const [at, { body }] of replies.entries()) {
    t.strictSame(namesIn(body), [names[at]])
    t.equal((JSON.parse(body) as unknown[]).length, 2000)
  }
  t.equal(api.backend.sliced - before, 2, 'one for each caller')
})

t.test('those who wait get their own answer after a change', async (t) => {
  const { api, ask } = apiOf(t)
  const index = String((await ask('alice', 'short')).headers['x-consul-index'])
  const names = ['alice', 'bob', 'bob', 'alice'] as const
  const blocked = names.map((name) => ask(name, `short?index=${index}`))
  while (api.backend.waiting < names.length) await new Promise((go) => setImmediate(go))
  await api.put('agent/service/register', { Name: 'web' })
  for (const [at, reply] of (await Promise.all(blocked)).entries()) {
    t.strictSame(namesIn(reply.body), [names[at]])
    t.not(reply.headers['x-consul-index'], index)
  }
})

/** The events of a stream, as a caller sees them. */
async function streamOf(t: Test, api: TestApi, name: Name) {
  const { port } = api.app.server.address() as AddressInfo
  const headers = { 'x-consul-token': name }
  const asked = request({ host: '127.0.0.1', port, path: '/v1/test/watch', headers }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  t.teardown(() => response.destroy())
  const events: string[] = []
  let onEvent = (): void => {}
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    const whole = text.split('\n\n')
    text = whole.pop() ?? ''
    events.push(...whole.flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? []))
    onEvent()
  })
  return {
    events,
    /** Resolves when there are `count` events. */
    until: (count: number) =>
      new Promise<void>((resolve) => {
        onEvent = () => {
          if (events.length >= count) resolve()
        }
        onEvent()
      }),
  }
}

t.test('readers of a stream share a feed with the same caller only', async (t) => {
  const { api, made } = apiOf(t)
  await api.app.listen({ port: 0, host: '127.0.0.1' })
  const names = ['alice', 'bob', 'alice', 'bob'] as const
  const streams = await Promise.all(names.map((name) => streamOf(t, api, name)))
  await Promise.all(streams.map((stream) => stream.until(1)))
  made.watched.length = 0
  await api.put('agent/service/register', { Name: 'web' })
  await Promise.all(streams.map((stream) => stream.until(2)))
  t.strictSame(made.watched.toSorted(), ['alice', 'bob'], 'a change is read once for each')
  for (const [at, { events }] of streams.entries()) {
    for (const event of events) t.strictSame(namesIn(event), [must(names[at])])
  }
})

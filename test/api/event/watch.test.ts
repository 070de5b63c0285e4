import t from 'tap'
import type { Test } from 'tap'
import { eventIndex } from '../../../src/api/endpoints/event/event-json.ts'
import { Client } from '../../../src/client/client.ts'
import type { StreamEvent } from '../../../src/client/event-reader.ts'
import { must } from '../../../src/base/assert.ts'
import { eventId } from '../../helpers/events.ts'
import { TestApi } from '../support.ts'
import type { EventRow } from './event-api.ts'

async function startApi(t: Test) {
  const api = new TestApi(t)
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' })
  const ended = new AbortController()
  t.teardown(() => ended.abort())
  const fire = async (path: string): Promise<EventRow> => {
    const { status, body } = await api.put(`event/fire/${path}`)
    if (status !== 200) throw new Error(body)
    return JSON.parse(body) as EventRow
  }
  const watch = (query = ''): Reader =>
    new Reader(new Client({ address }).stream(`watch/event${query}`, ended.signal))
  return { api, address, fire, watch }
}

/** A reader of a stream of events. */
class Reader {
  readonly #stream: AsyncGenerator<StreamEvent, void>
  id = ''

  constructor(stream: AsyncGenerator<StreamEvent, void>) {
    this.#stream = stream
  }

  /** The names of the next list. */
  async next(): Promise<readonly string[]> {
    const { value } = await this.#stream.next()
    const { id, text } = must(value ?? undefined, 'the stream goes on')
    this.id = id
    return (JSON.parse(text) as readonly EventRow[]).map(({ Name }) => Name)
  }
}

t.test(
  'a stream begins with the events that there are, and then has each new one once',
  async (t) => {
    const { fire, watch } = await startApi(t)
    const early = watch()
    t.strictSame(await early.next(), [])
    t.equal(early.id, '1')
    const { ID } = await fire('a')
    t.strictSame(await early.next(), ['a'])
    t.equal(early.id, eventIndex({ id: ID }))
    const late = watch()
    t.strictSame(await late.next(), ['a'])
    for (const name of ['b', 'c', 'd']) {
      await fire(name)
      for (const reader of [early, late]) t.strictSame(await reader.next(), [name])
    }
  },
)

t.test('a stream of a name has no others, and is not woken by them', async (t) => {
  const { fire, watch } = await startApi(t)
  await fire('a')
  const reader = watch('?name=b')
  t.strictSame(await reader.next(), [])
  await fire('a')
  await fire('b?node=n2')
  await fire('b')
  t.strictSame(await reader.next(), ['b'])
})

t.test(
  'a reader that connects again with the ID of its last list misses nothing and sees nothing twice',
  async (t) => {
    const { fire, watch } = await startApi(t)
    const first = watch()
    await first.next()
    await fire('a')
    await first.next()
    const again = watch(`?index=${first.id}`)
    const behind = again.next()
    await fire('b')
    await fire('c')
    const seen = [...(await behind)]
    while (seen.length < 2) seen.push(...(await again.next()))
    t.strictSame(seen, ['b', 'c'])
    const later = watch(`?index=${first.id}`)
    t.strictSame(await later.next(), ['b', 'c'], 'fired while it was away')
    const unknown = watch(`?index=${eventIndex({ id: eventId(9) })}`)
    t.strictSame(await unknown.next(), ['a', 'b', 'c'])
  },
)

t.test('a slow reader gets what it missed in one list', async (t) => {
  const { fire, watch } = await startApi(t)
  const reader = watch()
  await reader.next()
  const names = Array.from({ length: 100 }, (_, at) => `e${at}`)
  for (const name of names) await fire(name)
  const seen: string[] = []
  let lists = 0
  while (seen.length < names.length) {
    seen.push(...(await reader.next()))
    lists++
  }
  t.strictSame(seen, names)
  t.ok(lists <= names.length)
})

t.test('what cannot be watched is refused before a stream begins', async (t) => {
  const { api, address } = await startApi(t)
  const cases: readonly (readonly [query: string, status: number, text: RegExp])[] = [
    ['?index=x', 400, /Invalid index/],
    ['?node=(', 400, /^Invalid node filter/],
    ['?dc=nope', 500, /No path to datacenter/],
  ]
  for (const [query, status, text] of cases) {
    const reply = await api.get(`watch/event${query}`)
    t.equal(reply.status, status, query)
    t.match(reply.body, text)
  }
  const head = await api.ask('HEAD', '/v1/watch/event')
  t.match(head, { status: 200, body: '', headers: { 'content-type': 'text/event-stream' } })
  t.equal(head.headers['x-consul-index'], '1')
  api.backend.leaderAddress = ''
  t.match(await api.get('watch/event'), { status: 500, body: 'No cluster leader' })
  t.ok(address)
})

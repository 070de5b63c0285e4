import t from 'tap'
import type { Test } from 'tap'
import { eventIndex } from '../../../src/api/endpoints/event/event-json.ts'
import { must } from '../../../src/base/assert.ts'
import { eventId } from '../../helpers/events.ts'
import { KvApi } from '../kv/kv-api.ts'
import type { KvReply } from '../kv/kv-api.ts'
import { fired, listed } from './event-api.ts'
import type { EventRow } from './event-api.ts'

/** A client that follows as Consul's does: it asks with the last index, and takes what is behind that event. */
class Follower {
  index = '0'
  readonly seen: string[] = []
  readonly #api: KvApi
  readonly #query: string

  constructor(api: KvApi, query = '') {
    this.#api = api
    this.#query = query
  }

  async ask(): Promise<KvReply> {
    const path = `event/list?index=${this.index}&wait=20s${this.#query}`
    const reply = await this.#api.ask('GET', path)
    const rows = JSON.parse(reply.body.toString()) as readonly EventRow[]
    const last = rows.findIndex(({ ID }) => eventIndex({ id: ID }) === this.index)
    this.seen.push(...rows.slice(last + 1).map(({ Name }) => Name))
    this.index = String(reply.headers['x-consul-index'])
    return reply
  }

  async until(name: string): Promise<void> {
    while (this.seen.at(-1) !== name) await this.ask()
  }
}

async function startApi(t: Test): Promise<KvApi> {
  const api = await KvApi.start(t)
  must(api.api, 'these tests need svcd')
  return api
}

const waiting = async (api: KvApi, count: number): Promise<void> => {
  while (must(api.api).backend.waiting < count) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

t.test('who follows with the index sees each event once, whatever the pace', async (t) => {
  const api = await startApi(t)
  const followers = [new Follower(api), new Follower(api), new Follower(api, '&name=even')]
  await fired(api, 'before')
  const ended = followers.map((each, at) => each.until(at === 2 ? 'even' : 'last'))
  const names = Array.from({ length: 200 }, (_, at) => `e${at}`)
  for (const name of names) await fired(api, name)
  await fired(api, 'even')
  await fired(api, 'last')
  await Promise.all(ended)
  const all = ['before', ...names, 'even', 'last']
  t.strictSame(followers[0]?.seen, all)
  t.strictSame(followers[1]?.seen, all)
  t.strictSame(followers[2]?.seen, ['even'])
})

t.test('a wait is woken by an event of its name, and by no other', async (t) => {
  const api = await startApi(t)
  await fired(api, 'a')
  const follower = new Follower(api, '&name=a')
  await follower.ask()
  let isAnswered = false
  const next = follower.ask().then(() => (isAnswered = true))
  await waiting(api, 1)
  await fired(api, 'b')
  await must(api.api).put('kv/a', 'v')
  await must(api.api).put('agent/service/register', { Name: 'a' })
  t.notOk(isAnswered)
  await fired(api, 'a')
  await next
  t.strictSame(follower.seen, ['a', 'a'])
})

t.test('an event that is not for this agent wakes nobody here', async (t) => {
  const api = await startApi(t)
  const follower = new Follower(api)
  await fired(api, 'first')
  await follower.ask()
  const next = follower.ask()
  await waiting(api, 1)
  await fired(api, 'elsewhere?node=n2')
  await fired(api, 'second')
  await next
  t.strictSame(follower.seen, ['first', 'second'])
})

t.test('who comes from an agent with other events sees nothing twice', async (t) => {
  const api = await startApi(t)
  await fired(api, 'one')
  const follower = new Follower(api)
  // The last event that it saw there is not for this agent.
  follower.index = eventIndex({ id: (await fired(api, 'there?node=n2')).ID })
  const next = follower.ask()
  await waiting(api, 1)
  t.strictSame(follower.seen, [])
  await fired(api, 'two')
  await next
  await fired(api, 'three')
  await follower.ask()
  t.strictSame(follower.seen, ['two', 'three'])
  const nothing = await api.ask('GET', `event/list?name=one&index=${follower.index}&wait=10ms`)
  t.strictSame([nothing.body.toString(), nothing.headers['x-consul-index']], ['[]', follower.index])
})

t.test('a server that lags catches up before it takes an event for unknown', async (t) => {
  const api = await startApi(t)
  const { backend } = must(api.api)
  await fired(api, 'one')
  const before = backend.barriers
  const ahead = eventIndex({ id: eventId(7) })
  await api.ask('GET', `event/list?index=${ahead}`)
  t.equal(backend.barriers, before + 1)
  for (const index of ['0', '1', eventIndex({ id: must((await listed(api))[0]).ID })]) {
    await api.ask('GET', `event/list?index=${index}&wait=5ms`)
  }
  t.equal(backend.barriers, before + 1, 'but not for one that it knows')
  backend.leaderAddress = ''
  t.match(await api.ask('GET', `event/list?index=${ahead}`), { status: 200 })
  t.equal(backend.barriers, before + 1, 'nor without a leader')
})

t.test('behind 256 events, the last 256 are there', async (t) => {
  const api = await startApi(t)
  for (let at = 1; at <= 260; at++) await fired(api, `e${at}`)
  const rows = await listed(api)
  t.equal(rows.length, 256)
  t.match(
    [rows[0], rows.at(-1)],
    [
      { Name: 'e5', LTime: 5 },
      { Name: 'e260', LTime: 260 },
    ],
  )
})

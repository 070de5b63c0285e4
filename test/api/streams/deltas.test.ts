import t from 'tap'
import type { Test } from 'tap'
import { Client } from '../../../src/client/client.ts'
import { TestApi } from '../support.ts'

// Streams with ?deltas: a reader that keeps the rows always has those of the read.

type Row = Readonly<Record<string, unknown>>

interface Event {
  readonly Whole: boolean
  readonly Changed: readonly Row[]
  readonly Removed: readonly (readonly string[])[]
}

/** The rows of a stream, put together from its events. */
class Follower {
  events = 0
  /** Rows of the events, without those of the first. */
  sent = 0
  readonly #stream: AsyncGenerator<{ readonly data: unknown }, void>
  readonly #keyOf: (row: Row) => readonly string[]
  readonly #rows = new Map<string, Row>()

  constructor(
    stream: AsyncGenerator<{ readonly data: unknown }, void>,
    keyOf: (row: Row) => readonly string[],
  ) {
    this.#stream = stream
    this.#keyOf = keyOf
  }

  /** Reads events until the rows are `wanted`. */
  async reach(wanted: readonly Row[]): Promise<void> {
    const text = JSON.stringify(wanted)
    while (JSON.stringify(this.#ordered()) !== text || this.events === 0) {
      const { value } = await this.#stream.next()
      if (value === undefined) throw new Error('the stream ended')
      const { Whole, Changed, Removed } = value.data as Event
      if (Whole) this.#rows.clear()
      for (const key of Removed) this.#rows.delete(JSON.stringify(key))
      for (const row of Changed) this.#rows.set(JSON.stringify(this.#keyOf(row)), row)
      this.sent += Whole ? 0 : Changed.length + Removed.length
      this.events++
    }
  }

  #ordered(): readonly Row[] {
    return [...this.#rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  }
}

const text = (value: unknown): string => String(value)
const nested = (row: Row, field: string): Row => row[field] as Row

const streams = [
  { path: 'summary', read: 'health/summary', keyOf: (row: Row) => [text(row['Name'])] },
  {
    path: 'summary?filter=Node+==+n2',
    read: 'health/summary?filter=Node+==+n2',
    keyOf: (row: Row) => [text(row['Name'])],
  },
  { path: 'node-summary', read: 'health/node-summary', keyOf: (row: Row) => [text(row['Node'])] },
  {
    path: 'service/web',
    read: 'health/service/web',
    keyOf: (row: Row) => [text(nested(row, 'Node')['Node']), text(nested(row, 'Service')['ID'])],
  },
  {
    path: 'checks',
    read: 'health/state/any',
    keyOf: (row: Row) => [text(row['Node']), text(row['CheckID'])],
  },
] as const

async function startApi(t: Test) {
  const api = new TestApi(t)
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' })
  const ended = new AbortController()
  t.teardown(() => ended.abort())
  return { api, watch: (path: string) => new Client({ address }).watch(path, ended.signal) }
}

const register = (api: TestApi, node: string, id: string, status: string) =>
  api.put('catalog/register', {
    Node: node,
    Address: '10.0.0.1',
    Service: { Service: id.split('-')[0], ID: id },
    Check: { CheckID: `check-${id}`, Name: 'c', Status: status, ServiceID: id },
  })

t.test(
  'the rows that a reader puts together are those of the read, after each write',
  async (t) => {
    const { api, watch } = await startApi(t)
    const followers = streams.map(({ path, read, keyOf }) => ({
      read,
      follower: new Follower(watch(`${path}${path.includes('?') ? '&' : '?'}deltas`), keyOf),
    }))
    const check = async (): Promise<void> => {
      await Promise.all(
        followers.map(async ({ read, follower }) => {
          await follower.reach(await api.json<readonly Row[]>(read))
        }),
      )
    }
    await check()
    const writes = [
      () => register(api, 'n2', 'web-1', 'passing'),
      () => register(api, 'n2', 'web-2', 'critical'),
      () => register(api, 'n3', 'mail-1', 'passing'),
      () => register(api, 'n2', 'web-1', 'warning'),
      () => api.put('catalog/register', { Node: 'n2', Address: '10.0.0.2', NodeMeta: { a: 'b' } }),
      () => api.put('catalog/deregister', { Node: 'n2', ServiceID: 'web-2' }),
      () => api.put('catalog/deregister', { Node: 'n3' }),
      () => register(api, 'n3', 'web-3', 'passing'),
      () => api.put('agent/service/register', { Name: 'web', Check: { TTL: '1m' } }),
      () => api.put('agent/check/pass/service:web'),
    ]
    for (const write of writes) {
      t.match(await write(), { status: 200 })
      await check()
    }
  },
)

t.test('a change of one service sends one row, however many there are', async (t) => {
  const { api, watch } = await startApi(t)
  for (let at = 0; at < 400; at++) await register(api, 'n2', `service${at}-1`, 'passing')
  const [{ keyOf }] = streams
  const follower = new Follower(watch('summary?deltas'), keyOf)
  await follower.reach(await api.json('health/summary'))
  await register(api, 'n2', 'service200-1', 'critical')
  await follower.reach(await api.json('health/summary'))
  t.strictSame([follower.events, follower.sent], [2, 1])
})

t.test('only lists of rows with a key have deltas, and the parameter is a yes or no', async (t) => {
  const { api, watch } = await startApi(t)
  t.match(await api.get('watch/summary?deltas=maybe'), { status: 400 })
  const whole = await watch('services?deltas').next()
  t.strictSame(whole.value?.data, await api.json('catalog/services'), 'not for a map')
  t.match(await api.ask('HEAD', '/v1/watch/summary?deltas'), { status: 200, body: '' })
})

import t from 'tap'
import { TestApi } from '../support.ts'

interface Entry {
  readonly Key: string
  readonly Session?: string
  readonly LockIndex: number
}

async function create(api: TestApi, body: object): Promise<string> {
  return (JSON.parse((await api.put('session/create', body)).body) as { ID: string }).ID
}

async function locks(api: TestApi): Promise<readonly Entry[]> {
  const entries = await api.json<Entry[]>('kv/?recurse')
  return entries.map(({ Key, LockIndex, ...rest }) => ({
    Key,
    LockIndex,
    ...(rest.Session !== undefined && { Session: rest.Session }),
  }))
}

t.test(
  'a snapshot holds sessions, locks and lock-delays, and a restore brings them back',
  async (t) => {
    const from = new TestApi(t)
    const holder = await create(from, { Name: 'job', TTL: '10s', NodeChecks: ['serfHealth'] })
    const lost = await create(from, { NodeChecks: [] })
    for (const [key, session] of [
      ['held', holder],
      ['lost', lost],
    ]) {
      await from.put(`kv/${key}?acquire=${session}`, 'v')
    }
    await from.put(`session/destroy/${lost}`)
    const archive = (await from.app.inject({ method: 'GET', url: '/v1/snapshot' })).rawPayload

    const to = new TestApi(t)
    const later = await create(to, { NodeChecks: [], Behavior: 'delete' })
    await to.put(`kv/held?acquire=${later}`, 'later')
    const restored = await to.put('snapshot', archive)
    t.equal(restored.status, 200, restored.body)
    t.match(await to.json('session/list'), [{ ID: holder, Name: 'job', TTL: '10s' }])
    t.strictSame(await locks(to), await locks(from))
    t.equal((await to.get('kv/held?raw')).body, 'v')
    t.equal((await to.put(`kv/lost?acquire=${holder}`)).body, 'false', 'its lock-delay lasts')
    t.equal((await to.put(`session/renew/${later}`)).status, 404)

    const before = to.backend.proposed.length
    t.equal((await to.put('snapshot', archive)).status, 200)
    t.equal(to.backend.proposed.length, before, 'what is equal is not written')
  },
)

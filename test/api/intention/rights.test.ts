import t from 'tap'
import type { PlainRule } from '../../helpers/plain-rules.ts'
import { intentionPair, World } from '../access/fuzz-world.ts'

const rule = (name: string, intentions: PlainRule['intentions']): PlainRule => ({
  kind: 'service',
  isPrefix: false,
  name,
  level: 'read',
  intentions,
})

t.test(
  'the rights to the stored spelling count too, whichever spelling a request has',
  async (t) => {
    const world = new World(t, 'deny')
    await world.seed()
    t.strictSame(intentionPair('b'), ['svc-b', 'svc-A'])
    const token = await world.setToken(1, await world.grants([rule('svc-a', 'write')]))
    const exact = 'connect/intentions/exact?source=svc-b&destination=svc-a'
    const body = { Action: 'deny' }
    for (const [method, status, text] of [
      ['GET', 404, /^Intention not found/],
      ['PUT', 403, /intention:write.* on "svc-A"/],
      ['DELETE', 403, /intention:write.* on "svc-A"/],
    ] as const) {
      const reply = await world.ask(token, method, exact, method === 'PUT' ? body : undefined)
      t.match(reply, { status, body: text }, method)
    }
    const check = 'connect/intentions/check?source=svc-b&destination=svc-a&explain'
    const { body: answer, headers } = await world.ask(token, 'GET', check)
    t.strictSame(JSON.parse(answer), { Allowed: true, DecidedBy: 'intention', Intention: null })
    t.equal(headers['x-consul-results-filtered-by-acls'], 'true')
    t.match(await world.do('GET', exact), { Action: 'allow', DestinationName: 'svc-A' })
  },
)

t.test('who may read no intention of either side is not told whether there is one', async (t) => {
  const world = new World(t, 'deny')
  await world.seed()
  const token = await world.setToken(1, await world.grants([rule('svc-ab', 'deny')]))
  for (const source of ['svc-a', 'svc-x']) {
    const check = `connect/intentions/check?source=${source}&destination=svc-ab&explain`
    const { body } = await world.ask(token, 'GET', check)
    t.strictSame(JSON.parse(body), { Allowed: source === 'svc-a', DecidedBy: '', Intention: null })
  }
  t.match(await world.ask(token, 'GET', 'connect/intentions/check?source=a&destination=svc-b'), {
    status: 403,
    body: /service:read.* on "svc-b"/,
  })
})

t.test('who waits for an intention does not see it once it is about other services', async (t) => {
  const world = new World(t, 'deny')
  await world.seed()
  const token = await world.setToken(1, await world.grants([rule('svc-a', 'read')]))
  const path = `connect/intentions/${world.intentions.get('a') ?? ''}`
  const first = await world.ask(token, 'GET', path)
  t.match(first, { status: 200, body: /svc-ab/ })
  const index = String(first.headers['x-consul-index'])
  const waiting = world.ask(token, 'GET', `${path}?index=${index}&wait=10s`)
  await world.do('PUT', path, { SourceName: 'svc-x', DestinationName: 'svc-y', Action: 'allow' })
  t.match(await waiting, { status: 404, body: /^Intention not found/ })
})

import t from 'tap'
import type { Test } from 'tap'
import { run } from '../../src/cli/run.ts'
import { stateVersion } from '../../src/state/families.ts'
import { TestApi } from './support.ts'

type Row = Readonly<Record<string, unknown>>

/** `web-1` reports warning, `web-2` is in maintenance, `web-3` passes, and `n2` was written by a client. */
async function filled(t: Test): Promise<TestApi> {
  const api = new TestApi(t)
  await api.app.ready()
  api.backend.apply({ kind: 'use-format', format: stateVersion })
  for (const id of ['web-1', 'web-2', 'web-3']) {
    await api.put('agent/service/register', { Name: 'web', ID: id, Check: { TTL: '10m' } })
    await api.put(`agent/check/pass/service:${id}`)
  }
  await api.put('agent/check/warn/service:web-1?note=slow')
  await api.put('agent/service/maintenance/web-2?enable=true')
  const Check = { Name: 'disk', Status: 'critical' }
  await api.put('catalog/register', { Node: 'n2', Address: '10.0.0.2', Check })
  return api
}

t.test('the JSON of a check says what its status rests on, where that is known', async (t) => {
  const api = await filled(t)
  const evidenceOf = (rows: readonly Row[]): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      rows.map((row) => [row['CheckID'], 'Evidence' in row ? row['Evidence'] : 'no field']),
    )
  t.strictSame(evidenceOf(await api.json('health/checks/web')), {
    'service:web-1': 'proof',
    'service:web-2': 'no field',
    '_service_maintenance:web-2': 'intent',
    'service:web-3': 'no field',
  })
  const local = await api.json<Readonly<Record<string, Row>>>('agent/checks')
  t.equal(local['service:web-1']?.['Evidence'], 'proof')
  t.equal(local['_service_maintenance:web-2']?.['Evidence'], 'intent')
  t.notOk('Evidence' in (local['service:web-3'] ?? {}))
  t.strictSame(evidenceOf(await api.json('health/node/n2')), { disk: 'no field' })
  const instances = await api.json<readonly { Checks: readonly Row[] }[]>('health/service/web')
  t.match(evidenceOf(instances.flatMap(({ Checks }) => Checks)), { 'service:web-1': 'proof' })
  t.match(evidenceOf(await api.json('health/state/warning')), { 'service:web-1': 'proof' })
})

t.test('lists are filtered by evidence', async (t) => {
  const api = await filled(t)
  const ids = async (path: string, filter: string): Promise<readonly unknown[]> => {
    const rows = await api.json<readonly Row[] | Readonly<Record<string, Row>>>(
      `${path}?filter=${encodeURIComponent(filter)}`,
    )
    return Object.values(rows).map((row: Row) => row['CheckID'])
  }
  t.strictSame(await ids('health/state/any', 'Evidence == proof'), ['service:web-1'])
  t.strictSame(await ids('agent/checks', 'Evidence == intent'), ['_service_maintenance:web-2'])
  t.strictSame(await ids('health/state/critical', 'Evidence == ""'), ['disk'])
  t.strictSame(await ids('health/state/critical', 'Evidence is empty'), ['disk'])
  t.strictSame(await ids('health/state/any', 'Evidence == absence'), [])
  const instances = await api.json<readonly unknown[]>(
    `health/service/web?filter=${encodeURIComponent('Checks.Evidence == intent')}`,
  )
  t.match(instances, [{ Service: { ID: 'web-2' } }])
  t.equal(instances.length, 1)
})

t.test(
  'a client may say what its check rests on, and write a row back as it was read',
  async (t) => {
    const api = await filled(t)
    const disk = { Name: 'disk', Status: 'warning', Evidence: 'absence' }
    t.equal(
      (await api.put('catalog/register', { Node: 'n2', Address: '10.0.0.2', Check: disk })).status,
      200,
    )
    const [row] = await api.json<readonly Row[]>('health/node/n2')
    t.match(row, { Status: 'warning', Evidence: 'absence' })
    t.equal(
      (await api.put('catalog/register', { Node: 'n2', Address: '10.0.0.2', Check: row })).status,
      200,
    )
    t.strictSame(await api.json('health/node/n2'), [row])
    const wrong = { ...disk, Evidence: 'rumour' }
    t.match(await api.put('catalog/register', { Node: 'n2', Address: '10.0.0.2', Check: wrong }), {
      status: 400,
      body: 'Evidence "rumour" is not valid. Use proof, absence or intent.',
    })
  },
)

t.test('svcd checks --wide has a column for it', async (t) => {
  const api = await filled(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  const shown = async (...line: readonly string[]): Promise<string> => {
    let text = ''
    const out = (more: string): void => void (text += more)
    t.equal(await run(line, { out, err: out, env, readText: async () => '' }), 0)
    return text
  }
  const wide = await shown('checks', '--wide')
  t.match(wide, /^Node +CheckID +Service +Status +Type +Interval +Evidence +Since +Name +Output$/m)
  t.match(wide, /^n1 +service:web-1 +web +warning +ttl +\S+ +proof /m)
  t.match(wide, /^n1 +service:web-3 +web +passing +ttl +\S+ +- /m)
  t.match(wide, /^n2 +disk +- +critical +- +- +- /m)
  t.notMatch(await shown('checks'), 'Evidence')
})

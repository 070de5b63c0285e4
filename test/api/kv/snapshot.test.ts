import t from 'tap'
import { commandBytesMax } from '../../../src/state/machine/command.ts'
import { TestApi } from '../support.ts'

async function content(api: TestApi): Promise<unknown> {
  const { body } = await api.get('kv/?recurse')
  const rows = body === '' ? [] : (JSON.parse(body) as Record<string, unknown>[])
  return rows.map(({ Key, Value, Flags }) => [Key, Value, Flags])
}

async function archiveOf(api: TestApi): Promise<Buffer> {
  return (await api.app.inject({ method: 'GET', url: '/v1/snapshot' })).rawPayload
}

t.test('a snapshot holds all keys, and a restore brings back what it holds', async (t) => {
  const from = new TestApi(t)
  await from.put('kv/same', 'v')
  await from.put('kv/foo', '1')
  await from.put('kv/foo/?flags=7', '')
  await from.put('kv/%C3%A9%23?flags=4096', '\u00e9')
  await from.put('kv/other', 'as archived')
  const archive = await archiveOf(from)

  const to = new TestApi(t)
  await to.put('kv/same', 'v')
  await to.put('kv/other', 'as it is now')
  await to.put('kv/gone', 'v')
  const same = (await to.get('kv/same')).body
  const restored = await to.put('snapshot', archive)
  t.equal(restored.status, 200, restored.body)
  t.strictSame(await content(to), await content(from))
  t.equal((await to.get('kv/same')).body, same, 'what is equal is not written')
  t.equal((await to.get('kv/gone')).status, 404)
})

t.test('values of the largest size are restored in commands that the log accepts', async (t) => {
  const from = new TestApi(t)
  const value = Buffer.alloc(512 * 1024, 'x')
  for (let at = 0; at < 6; at++) await from.put(`kv/large/${at}`, value)
  for (let at = 0; at < 40; at++) await from.put(`kv/small/${at}`, 'v')
  const archive = await archiveOf(from)
  const to = new TestApi(t)
  const restored = await to.put('snapshot', archive)
  t.equal(restored.status, 200, restored.body)
  for (const proposed of to.backend.proposed) {
    t.ok(Buffer.byteLength(JSON.stringify(proposed)) < commandBytesMax - 1024)
  }
  t.equal((JSON.parse((await to.get('kv/?keys')).body) as unknown[]).length, 46)
})

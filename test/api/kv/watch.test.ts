import t from 'tap'
import type { Test } from 'tap'
import { Client } from '../../../src/client/client.ts'
import type { StreamEvent } from '../../../src/client/event-reader.ts'
import { must } from '../../../src/base/assert.ts'
import { TestApi } from '../support.ts'

async function startApi(t: Test) {
  const api = new TestApi(t)
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' })
  const ended = new AbortController()
  t.teardown(() => ended.abort())
  const watch = (path: string): AsyncGenerator<StreamEvent, void> =>
    new Client({ address }).stream(`watch/${path}`, ended.signal)
  return { api, watch }
}

async function next(stream: AsyncGenerator<StreamEvent, void>): Promise<string> {
  return must((await stream.next()).value ?? undefined, 'the stream goes on').text
}

/** With the numbers that differ left out. */
const shape = (text: string): string => text.replaceAll(/("\w+Index":)\d+/g, '$1N')

const entry = (key: string, value: string | null, flags = '0'): string =>
  `{"LockIndex":N,"Key":"${key}","Flags":${flags},"Value":${JSON.stringify(value)},` +
  `"Session":"","CreateIndex":N,"ModifyIndex":N}`

t.test('a stream of a key has its entry, and null while it does not exist', async (t) => {
  const { api, watch } = await startApi(t)
  const stream = watch('key/a/b')
  t.equal(await next(stream), 'null')
  for (const key of ['a', 'a/b/c', 'a/bc']) await api.put(`kv/${key}`, 'v')
  await api.put('kv/a/b?flags=18446744073709551615', 'v')
  t.equal(shape(await next(stream)), entry('a/b', 'dg==', '18446744073709551615'), 'exact flags')
  await api.put('kv/a/b?flags=18446744073709551615', 'v')
  await api.put('kv/a/b', '')
  t.equal(shape(await next(stream)), entry('a/b', null), 'the write of the same is no change')
  await api.ask('DELETE', '/v1/kv/a/b')
  t.equal(await next(stream), 'null')
})

t.test(
  'a stream of a prefix has all entries below it, and null while there are none',
  async (t) => {
    const { api, watch } = await startApi(t)
    const [all, keys] = [watch('keyprefix/a/'), watch('keyprefix/a/?keys&separator=/')]
    t.strictSame([await next(all), await next(keys)], ['null', 'null'])
    await api.put('kv/ab', 'v')
    await api.put('kv/a/1', 'v')
    t.equal(shape(await next(all)), `[${entry('a/1', 'dg==')}]`)
    t.equal(await next(keys), '["a/1"]')
    await api.put('kv/a/2/x', 'v')
    t.equal(shape(await next(all)), `[${entry('a/1', 'dg==')},${entry('a/2/x', 'dg==')}]`)
    t.equal(await next(keys), '["a/1","a/2/"]')
    await api.ask('DELETE', '/v1/kv/a?recurse')
    t.strictSame([await next(all), await next(keys)], ['null', 'null'])
    const whole = watch('keyprefix/')
    t.equal(await next(whole), 'null')
    await api.put('kv/b', 'v')
    t.equal(shape(await next(whole)), `[${entry('b', 'dg==')}]`)
  },
)

t.test('the key in the path of a stream is decoded once, as that of a read', async (t) => {
  const { api, watch } = await startApi(t)
  for (const path of ['a%2Fb%25', 'ä%23', '%2F%2Fx']) {
    await api.put(`kv/${path}`, 'v')
    t.match(JSON.parse(await next(watch(`key/${path}`))), { Key: decodeURIComponent(path) }, path)
  }
  t.match(await api.get('watch/key/'), { status: 400, body: 'Missing key name' })
  t.match(await api.get('watch/key/a%00'), { status: 400 })
  const moved = await api.get('watch/key/a//b')
  t.strictSame([moved.status, moved.headers['location']], [301, '/v1/watch/key/a/b'])
})

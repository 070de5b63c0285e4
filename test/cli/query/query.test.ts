import t, { type Test } from 'tap'
import { run } from '../../../src/cli/run.ts'
import { QueryApi } from '../../api/query/query-api.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function start(t: Test): Promise<(words: readonly string[], input?: object) => Promise<Ran>> {
  const { kv } = await QueryApi.start(t)
  return async (words, input = {}) => {
    let out = ''
    let err = ''
    const code = await run(['query', ...words], {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      env: { SVCD_HTTP_ADDR: kv.url },
      readText: async (path) => {
        if (path !== '-') throw new Error(`ENOENT: ${path}`)
        return JSON.stringify(input)
      },
    })
    return { code, out, err }
  }
}

t.test('a query is created, listed, read, updated, executed and deleted', async (t) => {
  const query = await start(t)
  t.match(await query(['list']), { code: 0, out: '', err: 'There are no prepared queries.\n' })
  const created = await query(['create', '-'], {
    Name: 'best-db',
    Service: { Service: 'db', Tags: ['m', '!s'] },
    DNS: { TTL: '5s' },
  })
  const id = created.out.trim().split(' ').at(-1) ?? ''
  t.match(created, { code: 0, out: `Created prepared query: ${id}\n` })
  t.match((await query(['list'])).out, new RegExp(`best-db +${id} +db +m,!s +no +5s`))
  t.equal((await query(['list', '-o', 'name'])).out, 'best-db\n')
  const got = await query(['get', 'BEST-db'])
  t.match(JSON.parse(got.out), { ID: id, Name: 'best-db', DNS: { TTL: '5s' } })
  t.match((await query(['execute', 'best-db'])).out, /db +m2 +10\.0\.1\.2 +80 +passing +m/)
  // What `get` prints can be sent back.
  const updated = await query(['update', 'best-db', '-'], {
    ...(JSON.parse(got.out) as object),
    Service: { Service: 'db' },
  })
  t.match(updated, { code: 0, out: `Updated prepared query: best-db (${id})\n` })
  const two = await query(['execute', id, '--near', 'm1', '--limit', '2', '--json'])
  t.match(JSON.parse(two.out), { Nodes: [{ Node: { Node: 'm1' } }, {}], Failovers: 0 })
  t.match(JSON.parse((await query(['explain', 'best-db'])).out), { Service: { Service: 'db' } })
  t.match(await query(['delete', 'best-db']), {
    code: 0,
    out: `Deleted prepared query: best-db (${id})\n`,
  })
  t.match(await query(['list', '--json']), { code: 0, out: '[]\n' })
})

t.test('what cannot be done is said', async (t) => {
  const query = await start(t)
  const refused = async (words: readonly string[], err: RegExp, input = {}): Promise<void> => {
    const ran = await query(words, input)
    t.equal(ran.code, 1, words.join(' '))
    t.match(ran.err, err)
  }
  await refused(['get', 'nope'], /Query not found: .*"nope".*svcd query list/)
  await refused(['delete', 'nope'], /Query not found/)
  await refused(['execute', 'nope'], /Query not found/)
  await refused(['create', 'nope.json'], /Cannot read the definition from nope\.json/)
  await refused(['create', '-'], /Must be bound to a session/)
  await refused(['create', '-'], /unknown field "Nmae"/, { Nmae: 'x' })
  await query(['create', '-'], { Name: 'none', Service: { Service: 'nobody' } })
  t.match(await query(['execute', 'none']), {
    code: 0,
    err: 'No instance of service "nobody" matches the query.\n',
  })
})

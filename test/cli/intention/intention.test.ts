import t, { type Test } from 'tap'
import { run } from '../../../src/cli/run.ts'
import { KvApi } from '../../api/kv/kv-api.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function start(
  t: Test,
  files: Readonly<Record<string, string>> = {},
): Promise<(line: string) => Promise<Ran>> {
  const kv = await KvApi.start(t)
  return async (line) => {
    let out = ''
    let err = ''
    const code = await run(['intention', ...line.split(' ')], {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      env: { SVCD_HTTP_ADDR: kv.url },
      readText: async (path) => {
        const text = files[path]
        if (text === undefined) throw new Error(`ENOENT: ${path}`)
        return text
      },
    })
    return { code, out, err }
  }
}

t.test(
  'an intention is created, listed, read, matched, checked, replaced and deleted',
  async (t) => {
    const intention = await start(t)
    t.match(await intention('list'), { code: 0, out: '', err: 'There are no intentions.\n' })
    t.match(await intention('create web db'), { code: 0, out: 'Created: web => db (allow)\n' })
    t.match(await intention('create -deny -meta owner=ops * db'), {
      code: 0,
      out: 'Created: * => db (deny)\n',
    })
    t.match(await intention('create web db'), { code: 1, err: /duplicate intention found/ })
    t.match((await intention('list')).out, /web +allow +db +9\s+\* +deny +db +8/)
    t.match((await intention('list --wide')).out, /owner=ops/)
    const get = await intention('get * db')
    t.match(
      get.out,
      /^Source: +\*\nDestination: +db\nAction: +deny\nID: +\S+\nMeta\[owner\]: +ops\n/,
    )
    const { ID } = JSON.parse((await intention('get * db --json')).out) as { ID: string }
    t.equal((await intention(`get ${ID}`)).out, get.out)
    t.match((await intention('match db -o name')).out, new RegExp(`^\\S+\n${ID}\n$`))
    t.match((await intention('match -source other')).out, /\* +deny +db/)
    t.match(await intention('match -source *'), { code: 0, out: /deny/ })
    t.match(await intention('match api'), { code: 0, out: '', err: /^No intention is about "api"/ })
    t.match(await intention('check web db'), { code: 0, out: 'Allowed\n', err: '' })
    t.match(await intention('check api db'), {
      code: 1,
      out: 'Denied\n',
      err: /^svcd: api may not call db: the intention \* => db \(deny\) decides\. Allow it with/,
    })
    t.match(JSON.parse((await intention('check api db --json')).out), { Intention: { ID } })
    t.match(await intention('create -replace -deny web db'), { out: 'Stored: web => db (deny)\n' })
    t.match(await intention('check web db'), { code: 1 })
    t.match(await intention('delete web db'), { out: 'Intention deleted: web => db (deny)\n' })
    t.match(JSON.parse((await intention(`delete ${ID} --json`)).out), { ID, deleted: true })
    t.match(await intention('get web db'), { code: 1, err: /Intention not found.*intention list/ })
  },
)

t.test('files are read before anything is created', async (t) => {
  const body = { SourceName: 'a', DestinationName: 'b', Action: 'deny', Description: 'why' }
  const files = {
    'one.json': JSON.stringify(body),
    '-': JSON.stringify({ ...body, SourceNS: 'eng', SourceName: 'c' }),
    'bad.json': 'null',
  }
  const intention = await start(t, files)
  for (const bad of ['bad.json', 'gone.json']) {
    const ran = await intention(`create -file one.json ${bad}`)
    t.match(ran, { code: 1, out: '', err: new RegExp(`Cannot read the definition from ${bad}`) })
  }
  t.match(await intention('list'), { err: 'There are no intentions.\n' })
  t.match(await intention('create -file one.json -'), {
    code: 0,
    out: 'Created: a => b (deny)\nCreated: eng/c => b (deny)\n',
  })
  t.match((await intention('list')).out, /a +deny +b +9 +why\s+eng\/c +deny/)
})

t.test('mistakes are explained', async (t) => {
  const intention = await start(t)
  for (const [line, text] of [
    ['create -allow -deny web db', /Only one of -allow or -deny/],
    ['create web', /two arguments: source and destination/],
    ['create a b c', /two arguments/],
    ['create a/b/c d', /more than one slash/],
    ['create -meta x a b', /"x" is not KEY=VALUE/],
    ['match -source -destination a', /Only one of -source or -destination/],
    ['check web', /Missing required argument "destination"/i],
    ['get hello', /hello.* is not the ID of an intention/],
  ] as const) {
    const ran = await intention(line)
    t.match(ran, { out: '', err: text }, line)
    t.ok(ran.code > 0, line)
  }
})

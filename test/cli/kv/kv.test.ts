import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../../../src/cli/run.ts'
import { KvApi } from '../../api/kv/kv-api.ts'

// As the tables of test/api/kv, these also run against Consul, with SVCD_CONSUL_URL.

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly bytes: Buffer
}

interface Place {
  readonly api: KvApi
  /** Runs `svcd kv WORDS`. */
  readonly kv: (...words: readonly string[]) => Promise<Ran>
  readonly directory: string
  /** What the next command finds on standard input. */
  readonly input: (bytes: Buffer) => void
}

async function start(t: Test): Promise<Place> {
  const api = await KvApi.start(t)
  const directory = t.testdir()
  let input = Buffer.alloc(0)
  const read = async (path: string): Promise<Buffer> => (path === '-' ? input : readFile(path))
  const kv = async (...words: readonly string[]): Promise<Ran> => {
    const out: Buffer[] = []
    let err = ''
    const code = await run(['kv', ...words], {
      out: (text) => void out.push(Buffer.from(text)),
      outBytes: (bytes) => void out.push(Buffer.from(bytes)),
      err: (text) => void (err += text),
      env: { SVCD_HTTP_ADDR: api.url },
      readText: async (path) => (await read(path)).toString(),
      readBytes: read,
    })
    const bytes = Buffer.concat(out)
    return { code, out: bytes.toString(), err, bytes }
  }
  return { api, kv, directory, input: (bytes) => (input = Buffer.from(bytes)) }
}

const printed = (out: string): object => ({ code: 0, out, err: '' })

t.test('a value is written, printed and deleted', async (t) => {
  const { kv, directory, input } = await start(t)
  t.match(await kv('put', 'a/b', 'hello'), printed('Success! Data written to: a/b\n'))
  t.match(await kv('get', 'a/b'), printed('hello\n'))
  t.match(await kv('get', '/a/b'), printed('hello\n'), 'people type a slash before the key')
  t.match(await kv('get', '-base64', 'a/b'), printed('aGVsbG8=\n'))
  t.match(await kv('put', 'a/'), printed('Success! Data written to: a/\n'))
  t.match(await kv('get', 'a/'), printed('\n'))
  writeFileSync(join(directory, 'f'), 'of a file\n')
  await kv('put', 'f', `@${join(directory, 'f')}`)
  t.equal((await kv('get', 'f')).out, 'of a file\n\n')
  const bytes = Buffer.from([0, 1, 0xff, 0xfe, 10, 0x1b])
  input(bytes)
  await kv('put', 'bin', '-')
  t.strictSame((await kv('get', 'bin')).bytes, Buffer.concat([bytes, Buffer.from('\n')]))
  await kv('put', '-base64', 'b64', 'AP8=')
  t.strictSame((await kv('get', 'b64')).bytes, Buffer.from([0, 255, 10]))
  await kv('put', 'negative', '-5')
  t.equal((await kv('get', 'negative')).out, '-5\n')
  t.match(await kv('delete', 'a/b'), printed('Success! Deleted key: a/b\n'))
  t.match(await kv('delete', 'a/b'), printed('Success! Deleted key: a/b\n'))
  t.match(await kv('get', 'a/b'), { code: 1, out: '', err: 'svcd: No key exists at: a/b' })
  t.match(await kv('get', '-detailed', 'a/b'), { code: 1, out: '' })
})

t.test('-detailed shows what Consul shows, with exact flags', async (t) => {
  const { kv } = await start(t)
  await kv('put', '-flags=18446744073709551615', 'a', 'v')
  await kv('put', '-flags=0x10', 'a/')
  const one = (await kv('get', '-detailed', 'a')).out
  const [, index = ''] = /^CreateIndex {6}(\d+)\n/.exec(one) ?? []
  t.equal(
    one,
    [
      `CreateIndex      ${index}`,
      'Flags            18446744073709551615',
      'Key              a',
      'LockIndex        0',
      `ModifyIndex      ${index}`,
      'Session          -',
      'Value            v\n',
    ].join('\n'),
  )
  const all = (await kv('get', '-detailed', '-recurse', 'a')).out
  t.ok(all.startsWith(`${one}\nCreateIndex `), 'an empty line is between two')
  t.match(all, /^Flags {12}16\nKey {14}a\/\n[^]*\nValue\n$/m)
  const json = (await kv('get', '-json', 'a')).out
  t.match(json, /"Flags": 18446744073709551615,\n/)
  t.match(JSON.parse(json), [{ Key: 'a', Value: 'dg==', LockIndex: 0 }])
})

t.test('keys and entries below a prefix', async (t) => {
  const { kv } = await start(t)
  for (const key of ['a', 'a/', 'a/b', 'a/b/c', 'b']) await kv('put', key, `v:${key}`)
  t.match(await kv('get', '-keys'), printed('a\na/\nb\n'))
  t.match(await kv('get', '-keys', 'a/'), printed('a/\na/b\na/b/\n'))
  t.match(await kv('get', '-keys', '-separator=', 'a/'), printed('a/\na/b\na/b/c\n'))
  t.match(await kv('get', '-keys', '-separator', 'b'), printed('a\na/\na/b\nb\n'))
  t.match(await kv('get', '-keys', '-recurse', 'a/b'), printed('a/b\na/b/\n'))
  t.match(await kv('get', '-keys', 'none'), printed(''))
  t.strictSame(JSON.parse((await kv('get', '-keys', '-json', 'a/b')).out), ['a/b', 'a/b/'])
  t.match(await kv('get', '-recurse', 'a/b'), printed('a/b:v:a/b\na/b/c:v:a/b/c\n'))
  t.match(await kv('get', '-recurse', '-base64', 'b'), printed('b:djpi\n'))
  t.match(await kv('get', '-recurse', 'none'), printed(''))
  t.match(await kv('delete', '-recurse', 'a/'), printed('Success! Deleted keys with prefix: a/\n'))
  t.match(await kv('get', '-recurse'), printed('a:v:a\nb:v:b\n'))
  t.match(await kv('delete', '-recurse'), printed('Success! Deleted keys with prefix: \n'))
  t.match(await kv('get', '-keys'), printed(''))
})

t.test('-cas writes and deletes only what has the given index', async (t) => {
  const { kv } = await start(t)
  const put = (index: string, value: string): Promise<Ran> =>
    kv('put', '-cas', `-modify-index=${index}`, 'a', value)
  t.equal((await put('0', 'v')).code, 0, 'the key is not there')
  t.match(await put('0', 'w'), { code: 1, out: '', err: 'svcd: Did not write to a: CAS failed' })
  t.equal((await put('99999999', 'w')).code, 1)
  const index = /^ModifyIndex +(\d+)$/m.exec((await kv('get', '-detailed', 'a')).out)?.[1] ?? ''
  t.equal((await put(index, 'w')).code, 0)
  t.equal((await kv('get', 'a')).out, 'w\n')
  const drop = (index: string): Promise<Ran> => kv('delete', '-cas', `-modify-index=${index}`, 'a')
  t.match(await drop(index), { code: 1, out: '', err: 'svcd: Did not delete key a: CAS failed' })
  t.equal((await kv('get', 'a')).out, 'w\n')
})

t.test('an export is imported as it was', async (t) => {
  const { kv, directory, input } = await start(t)
  await kv('put', 'foo', '1')
  await kv('put', 'foo/')
  await kv('put', '-flags=18446744073709551615', 'foo/"flags":7', 'x')
  const { out } = await kv('export')
  t.equal(
    out,
    `[
\t{
\t\t"key": "foo",
\t\t"flags": 0,
\t\t"value": "MQ=="
\t},
\t{
\t\t"key": "foo/",
\t\t"flags": 0,
\t\t"value": ""
\t},
\t{
\t\t"key": "foo/\\"flags\\":7",
\t\t"flags": 18446744073709551615,
\t\t"value": "eA=="
\t}
]
`,
  )
  t.equal((await kv('export', '/foo/')).out.match(/"key"/g)?.length, 2)
  t.match(await kv('export', 'none'), printed('[]\n'))
  await kv('delete', '-recurse')
  const said = 'Imported: foo\nImported: foo/\nImported: foo/"flags":7\n'
  writeFileSync(join(directory, 'all.json'), out)
  t.match(await kv('import', `@${join(directory, 'all.json')}`), printed(said))
  t.equal((await kv('export')).out, out)
  input(Buffer.from(out))
  t.match(await kv('import', '-'), printed(said))
  t.match(await kv('import', '[{"Key":"q","Flags":2,"Value":"aGk="},{"key":"r"}]'), { code: 0 })
  t.equal((await kv('get', '-recurse', 'q')).out, 'q:hi\n')
  t.equal((await kv('get', 'r')).out, '\n')
})

t.test('keys with special characters reach the store as they are', async (t) => {
  const { kv } = await start(t)
  for (const key of ['a b', 'a#b', 'a%2Fb', 'a?b', 'ä/ö', 'a+b', 'a,@;b', '<&>', "it's"]) {
    t.match(await kv('put', key, key), { code: 0 })
    t.equal((await kv('get', key)).out, `${key}\n`, key)
  }
  t.equal((await kv('get', '-keys', '-separator=')).out.split('\n').length, 10)
})

t.test(
  'control characters of a value reach a pipe, and a terminal sees them written out',
  async (t) => {
    const { api } = await start(t)
    await api.put('a', '\u001b[31mred')
    const shown = async (terminal?: { columns: number; hasColour: boolean }): Promise<string> => {
      let out = ''
      await run(['kv', 'get', 'a'], {
        out: (text) => void (out += text),
        outBytes: (bytes) => void (out += Buffer.from(bytes).toString()),
        err: () => {},
        env: { SVCD_HTTP_ADDR: api.url },
        readText: async () => '',
        terminal,
      })
      return out
    }
    t.equal(await shown(), '\u001b[31mred\n')
    t.equal(await shown({ columns: 80, hasColour: true }), '\\u{1b}[31mred\n')
  },
)

const mistakes: readonly (readonly [words: readonly string[], err: RegExp])[] = [
  [['get'], /Name a key, or use --recurse or --keys/],
  [['get', 'a', 'b'], /Too many arguments/i],
  [['put'], /Missing required argument "key"/],
  [['put', ''], /The key is empty/],
  [['put', '/a', 'v'], /A key must not begin with a slash: \/a/],
  [['put', 'a', 'b', 'c'], /Too many arguments/i],
  [
    ['put', '-flags=-1', 'a', 'v'],
    /--flags: "-1" is not a whole number from 0 to 18446744073709551615/,
  ],
  [['put', '-flags=18446744073709551616', 'a', 'v'], /--flags: "18446744073709551616" is not/],
  [['put', '-cas', 'a', 'v'], /Use --cas together with --modify-index/],
  [['put', '-modify-index=3', 'a', 'v'], /Use --modify-index together with --cas/],
  [['put', '-cas', '-modify-index=x', 'a', 'v'], /--modify-index: "x" is not a whole number/],
  [
    ['put', 'a', '@/none/such'],
    /Cannot read the data from \/none\/such: ENOENT.* Nothing was written/,
  ],
  [['put', '-base64', 'a', '!!!'], /it is not base64\. Nothing was written/],
  [['delete'], /Name a key, or use --recurse/],
  [['delete', '-cas', '-modify-index=1', '-recurse', 'a'], /either --cas or --recurse/],
  [['import'], /Missing required argument "data"/],
  [['import', 'junk'], /Cannot import the data: .*JSON.* Nothing was written/],
  [['import', '{}'], /it is not a list/],
  [
    ['import', '[{"key":"good"},{"key":"a","value":"!!"}]'],
    /the value of the key "a" is not base64/,
  ],
  [['import', '[{"key":"a","flags":-1}]'], /the flags of the key "a" are not a whole number/],
  [['import', '[{"key":""}]'], /entry 1 has no key/],
  [['import', '[{"key":"good"},7]'], /entry 2 is not an object/],
  [['import', '[{"key":"/a"}]'], /the key "\/a" begins with a slash/],
]

t.test('mistakes are named, and nothing is written', async (t) => {
  const { kv } = await start(t)
  for (const [words, err] of mistakes) {
    const ran = await kv(...words)
    t.match(ran, { code: 1, out: '' }, words.join(' '))
    t.match(ran.err, err)
  }
  t.match(await kv('get', '-keys'), printed(''))
})

t.test('a value that is too large is refused in the words of the agent', async (t) => {
  const { kv, input } = await start(t)
  input(Buffer.alloc(512 * 1024 + 1))
  const ran = await kv('put', 'big', '-')
  t.match(ran, { code: 1, err: /Request body\(524289 bytes\) too large, max size: 524288 bytes/ })
  t.match(await kv('put', '-datacenter=dc9', 'a', 'v'), { code: 1, err: /No path to datacenter/ })
  t.match(await kv('get', '-stale', '-keys'), printed(''))
})

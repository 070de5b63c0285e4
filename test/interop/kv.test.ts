import { execFile, spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import Consul from 'consul'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { svcdBin } from '../helpers/agent-process.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { missing } from '../helpers/tools.ts'

// Clients of the key/value store against three servers: each writes on one, all are read.

interface Entry {
  readonly Key: string
  readonly Value: string | null
  readonly Flags: number
  readonly ModifyIndex: number
}

function clientOf(server: ClusterServer): Consul {
  return new Consul({ host: server.host, port: server.httpPort })
}

t.test('the npm client writes on one server and reads on all', async (t) => {
  const cluster = await ThreeServers.start(t)
  for (const writer of cluster.servers) {
    const { kv } = clientOf(writer)
    const key = `of ${writer.name}/ä#%2F`
    await kv.set(key, 'first')
    for (const reader of cluster.servers) {
      const { kv: other } = clientOf(reader)
      t.match(await other.get(key), { Key: key, Value: 'first', Flags: 0 })
      const raw = (await other.get({ key, raw: true } as never)) as unknown as Buffer
      t.equal(raw.toString(), 'first')
    }
    await kv.set({ key, value: 'second', flags: 42 })
    for (const reader of cluster.servers) {
      t.match(await clientOf(reader).kv.get(key), { Value: 'second', Flags: 42 })
      t.match(await clientOf(reader).kv.keys(`of ${writer.name}/`), [key])
    }
    const { ModifyIndex } = (await kv.get(key)) as unknown as Entry
    // To this client, false is nothing.
    t.equal(await kv.set({ key, value: 'third', cas: ModifyIndex - 1 }), undefined)
    t.match(await kv.get(key), { Value: 'second' })
    t.equal(await kv.set({ key, value: 'third', cas: ModifyIndex }), true)
    await checkWatch(t, cluster, writer, key)
    await kv.del(key)
    for (const reader of cluster.servers) {
      t.equal(await clientOf(reader).kv.get(key), undefined)
      t.equal(await clientOf(reader).kv.get({ key: 'of ', recurse: true }), undefined)
    }
  }
})

/** Every server tells of a change on one of them. */
async function checkWatch(
  t: Test,
  cluster: ThreeServers,
  writer: ClusterServer,
  key: string,
): Promise<void> {
  const seen = cluster.servers.map((server) => {
    const { kv } = clientOf(server)
    const watch = clientOf(server).watch({ method: kv.get.bind(kv), options: { key } })
    t.teardown(() => watch.end())
    let values = ''
    const isSeen = new Promise<string>((resolve, reject) => {
      watch.on('error', reject)
      watch.on('change', (entry: Entry) => {
        values += `${entry.Value} `
        if (entry.Value === 'watched') resolve(values)
        if (entry.Value === 'third') resolveReady()
      })
    })
    let resolveReady = (): void => {}
    const ready = new Promise<void>((resolve) => (resolveReady = resolve))
    return { ready, isSeen }
  })
  await Promise.all(seen.map(({ ready }) => ready))
  await clientOf(writer).kv.set('elsewhere', writer.name)
  await clientOf(writer).kv.set(key, 'watched')
  const values = await Promise.all(seen.map(({ isSeen }) => isSeen))
  t.strictSame(
    values,
    Array.from(values, () => 'third watched '),
    'each change once',
  )
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs `consul kv …` or `svcd kv …` against a server. */
async function kv(
  program: 'consul' | 'svcd',
  server: ClusterServer,
  words: readonly string[],
  input?: string,
): Promise<Ran> {
  const [command, ...first] = program === 'consul' ? ['consul'] : [process.execPath, svcdBin]
  const env = { ...process.env, CONSUL_HTTP_ADDR: server.httpUrl, SVCD_HTTP_ADDR: server.httpUrl }
  const child = spawn(must(command), [...first, 'kv', ...words], { env })
  child.stdin.end(input)
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code) => resolve(code ?? -1))
  })
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { code, out, err }
}

const skip = missing('consul')

/** What both programs print alike, in this order. */
const commands: readonly (readonly [words: string, input?: string])[] = [
  ['put a hello'],
  ['put a/'],
  ['put -flags=18446744073709551615 a/b 5'],
  ['put a/c -', 'line one\nline two\n'],
  ['put -base64 b aGVsbG8='],
  ['put empty'],
  ['get a'],
  ['get a/c'],
  ['get empty'],
  ['get /a'],
  ['get -base64 a/c'],
  ['get -detailed a/b'],
  ['get -detailed empty'],
  ['get -detailed -base64 a'],
  ['get -recurse a'],
  ['get -recurse'],
  ['get -recurse -detailed a/'],
  ['get -recurse none'],
  ['get -keys'],
  ['get -keys a/'],
  ['get -keys -separator= a'],
  ['get -keys none'],
  ['get -stale a'],
  ['export'],
  ['export a/'],
  ['export none'],
  ['import -', '[{"key":"i/1","flags":3,"value":"aGk="},{"key":"i/","flags":0,"value":""}]'],
  ['get -recurse -detailed i/'],
  ['delete b'],
  ['delete none'],
  ['delete -recurse i/'],
  ['get -keys'],
]

t.test("Consul's commands and svcd's print the same on every server", { skip }, async (t) => {
  const cluster = await ThreeServers.start(t)
  const [one, two, three] = cluster.servers as [ClusterServer, ClusterServer, ClusterServer]
  for (const [line, input] of commands) {
    const words = line.split(' ')
    const consul = await kv('consul', one, words, input)
    t.equal(consul.code, 0, `${line}: ${consul.err}`)
    // What writes does so a second time, and changes nothing.
    t.strictSame(await kv('svcd', two, words, input), consul, `svcd kv ${line}`)
    if (!/^(?:get|export)/.test(line)) continue
    t.strictSame(await kv('consul', three, words, input), consul, `kv ${line} of another server`)
  }
  t.match((await kv('consul', one, ['get', 'a'])).out, 'hello\n')
  for (const program of ['consul', 'svcd'] as const) {
    t.match(await kv(program, three, ['get', 'none']), { code: 1, out: '' })
    const cas = ['put', '-cas', '-modify-index=1', 'a', 'x']
    const failed = await kv(program, two, cas)
    t.match(failed, { code: 1, out: '', err: /Did not write to a: CAS failed/ })
    const drop = await kv(program, two, ['delete', '-cas', '-modify-index=1', 'a'])
    t.match(drop, { code: 1, out: '', err: /Did not delete key a: CAS failed/ })
  }
})

t.test('an export of either program is imported by the other', { skip }, async (t) => {
  const cluster = await ThreeServers.start(t)
  const [one, two, three] = cluster.servers as [ClusterServer, ClusterServer, ClusterServer]
  await kv('consul', one, ['put', '-flags=18446744073709551615', 'foo', '1'])
  await kv('consul', one, ['put', 'foo/'])
  await kv('consul', one, ['put', 'foo/ä "b"<&>', '\u00e4'])
  const { out } = await kv('consul', two, ['export'])
  const ours = await kv('svcd', three, ['export'])
  t.strictSame(JSON.parse(ours.out), JSON.parse(out))
  t.match(ours.out, '"flags": 18446744073709551615')
  for (const [from, to] of [
    [out, 'svcd'],
    [ours.out, 'consul'],
  ] as const) {
    t.equal((await kv('consul', one, ['delete', '-recurse'])).code, 0)
    t.strictSame((await kv('svcd', two, ['export'])).out, '[]\n')
    t.match(await kv(to, three, ['import', '-'], from), {
      code: 0,
      out: /^Imported: foo\nImported: foo\/\n/,
    })
    t.equal((await kv('svcd', one, ['export'])).out, ours.out, `imported by ${to}`)
  }
})

const curl = missing('curl')

t.test('curl: a value that is too large is refused in chunks, too', { skip: curl }, async (t) => {
  const cluster = await ThreeServers.start(t)
  const [, follower] = cluster.servers as [ClusterServer, ClusterServer]
  const url = `${follower.httpUrl}/v1/kv/large`
  const put = async (bytes: number, ...more: readonly string[]): Promise<string> => {
    const line = `head -c ${bytes} /dev/zero | curl -sS -X PUT --data-binary @- ${more.join(' ')} -w ' %{http_code}' ${url}`
    return (await promisify(execFile)('sh', ['-c', line])).stdout
  }
  const chunked = ['-H', "'Transfer-Encoding: chunked'"]
  t.equal(await put(512 * 1024, ...chunked), 'true 200')
  t.match(await put(512 * 1024 + 1, ...chunked), /^Request body\(524289 bytes\) too large.* 413$/)
  t.match(await put(512 * 1024 + 1), /^Request body\(524289 bytes\) too large.* 413$/)
  const { stdout } = await promisify(execFile)('curl', ['-sSi', `${url}?raw`], {
    encoding: 'latin1',
  })
  t.match(stdout, /content-security-policy: sandbox/i)
  t.equal(stdout.length - stdout.indexOf('\r\n\r\n') - 4, 512 * 1024)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { svcdBin } from '../helpers/agent-process.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// Consul's `event` and `watch` and svcd's own, against three servers.

type Program = 'consul' | 'svcd'

function command(program: Program, server: ClusterServer, words: readonly string[]) {
  const [file, ...first] = program === 'consul' ? ['consul'] : [process.execPath, svcdBin]
  const { httpUrl } = server
  const env = { ...process.env, CONSUL_HTTP_ADDR: httpUrl, SVCD_HTTP_ADDR: httpUrl }
  return spawn(must(file), [...first, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function ran(program: Program, server: ClusterServer, ...words: readonly string[]) {
  const child = command(program, server, words)
  const ended = once(child, 'close')
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await ended) as [number | null]
  return { code, out, err }
}

/** A command that runs on; what it prints comes from the commands that it runs. */
class Watching {
  out = ''
  readonly #child
  readonly #name: string

  constructor(t: Test, program: Program, server: ClusterServer, ...words: readonly string[]) {
    this.#name = `${program} ${words.join(' ')} of ${server.name}`
    this.#child = command(program, server, ['watch', ...words])
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.out += chunk.toString()))
    }
    t.teardown(() => this.#child.kill('SIGKILL'))
  }

  holds(what: string): Promise<boolean> {
    return until(`${this.#name}: ${what}`, 20_000, () => this.out.includes(what))
  }

  async stop(): Promise<number | null> {
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGTERM')
    return ((await ended) as [number | null])[0]
  }
}

interface EventRow {
  readonly ID: string
  readonly Name: string
}

const skip = missing('consul')

t.test('an event that is fired on one server is seen once on each', { skip }, async (t) => {
  const cluster = await ThreeServers.start(t)
  const { servers } = cluster
  const [one, two, three] = servers as [ClusterServer, ClusterServer, ClusterServer]
  // Each run prints the names of its events in a line.
  const names = `sed 's/"Name":"/\\n>/g' | sed -n 's/^>\\([^"]*\\)".*/\\1/p'`
  const watching = servers.flatMap((server) => [
    new Watching(t, 'consul', server, '-type=event', names),
    new Watching(t, 'svcd', server, '-type', 'event', names),
  ])
  const fired: string[] = []
  const ids: string[] = []
  for (const [round, program] of (['consul', 'svcd', 'consul'] as const).entries()) {
    for (const server of servers) {
      const name = `e${round}-${server.name}`
      const { code, out, err } = await ran(program, server, 'event', `-name=${name}`, 'hello')
      t.equal(code, 0, err)
      ids.push(/^Event ID: (\S+)\n$/.exec(out)?.[1] ?? out)
      fired.push(name)
    }
  }
  for (const watch of watching) {
    await watch.holds(must(fired.at(-1)))
    t.strictSame(watch.out.trim().split('\n'), fired, 'each once, in order')
    await watch.stop()
  }
  const lists = await Promise.all(servers.map((server) => listed(server)))
  for (const list of lists) t.strictSame(list, lists[0], 'all servers have the same list')
  t.strictSame(
    lists[0]?.map(({ ID }) => ID),
    ids,
  )
  // Filters.
  await ran('consul', one, 'event', '-name=filtered', `-node=^${two.name}$`)
  await ran('consul', two, 'event', '-name=filtered', '-service=consul', '-tag=none')
  await ran('consul', two, 'event', '-name=filtered', '-service=^consul$', `-node=${three.name}`)
  const counts = await Promise.all(
    servers.map(async (server) => (await listed(server, '?name=filtered')).length),
  )
  t.strictSame(counts, [0, 1, 1])
  const refused = await ran('consul', one, 'event', '-name=large', 'x'.repeat(5000))
  t.match(refused, { code: 1, err: /413 .*too large, max size: 4096 bytes/ })
})

async function listed(server: ClusterServer, query = ''): Promise<readonly EventRow[]> {
  return server.get<readonly EventRow[]>(`event/list${query}`)
}

t.test("Consul's watch and svcd's print the same of every server", { skip }, async (t) => {
  const cluster = await ThreeServers.start(t)
  const { servers } = cluster
  const [one, two, three] = servers as [ClusterServer, ClusterServer, ClusterServer]
  await ran('consul', one, 'kv', 'put', '-flags=42', 'config/port', '5432')
  await ran('consul', two, 'kv', 'put', 'config/empty')
  await ran('consul', three, 'event', '-name=deploy', '-node=.', 'v1')
  const lines = [
    '-type=key -key=config/port',
    '-type=key -key=config/empty',
    '-type=key -key=none',
    '-type=keyprefix -prefix=config/',
    '-type=keyprefix -prefix=none/',
    '-type=event',
    '-type=event -name=deploy',
    '-type=event -name=none',
    '-type=services',
    '-type=checks -service=none',
  ]
  for (const [at, line] of lines.entries()) {
    const words = ['watch', ...line.split(' ')]
    const consul = await ran('consul', must(servers[at % 3]), ...words)
    const svcd = await ran('svcd', must(servers[(at + 1) % 3]), ...words)
    t.strictSame([svcd.code, svcd.err], [consul.code, consul.err], line)
    t.strictSame(JSON.parse(svcd.out), JSON.parse(consul.out), line)
  }
  for (const line of ['-type=nodes', '-type=service -service=consul', '-type=checks -state=any']) {
    const words = ['watch', ...line.split(' ')]
    const [consul, svcd] = [await ran('consul', one, ...words), await ran('svcd', two, ...words)]
    t.strictSame([svcd.code, svcd.err], [consul.code, consul.err], line)
    t.equal(
      (JSON.parse(svcd.out) as unknown[]).length,
      (JSON.parse(consul.out) as unknown[]).length,
    )
  }
  for (const line of [
    '-type=key',
    '-type=keyprefix',
    '-type=service',
    '-type=foo',
    '-type=connect_leaf',
    '-type=checks -service=a -state=b',
    '-type=key -key=a -prefix=b',
  ]) {
    const words = ['watch', ...line.split(' ')]
    const consul = await ran('consul', one, ...words)
    const svcd = await ran('svcd', one, ...words)
    t.strictSame([svcd.code, svcd.out], [1, ''], line)
    t.equal(consul.code, 1)
    t.match(svcd.err, must(consul.err.trim().split('\n')[0]), line)
  }
})

t.test('commands of both run at each change of a key, and get the same', { skip }, async (t) => {
  const cluster = await ThreeServers.start(t)
  const { servers } = cluster
  const values = `sed 's/.*"Value":"\\([^"]*\\)".*/\\1/'`
  const watching = servers.flatMap((server) => [
    new Watching(t, 'consul', server, '-type=key', '-key=a', values),
    new Watching(t, 'svcd', server, '--key', 'a', '--', values),
  ])
  for (const watch of watching) await watch.holds('null\n')
  const [one, two] = servers as [ClusterServer, ClusterServer, ClusterServer]
  for (const [server, value] of [
    [one, 'x'],
    [two, 'y'],
  ] as const) {
    await ran('consul', server, 'kv', 'put', 'a', value)
    await ran('consul', server, 'kv', 'put', 'b', value)
    const shown = Buffer.from(value).toString('base64')
    for (const watch of watching) await watch.holds(`${shown}\n`)
  }
  await ran('svcd', one, 'kv', 'delete', 'a')
  for (const watch of watching) await watch.holds('eQ==\nnull\n')
  for (const watch of watching) {
    t.equal(watch.out, 'null\neA==\neQ==\nnull\n')
    t.equal(await watch.stop(), 0)
  }
})

import t, { type Test } from 'tap'
import { ask } from '../../src/net/dns-client.ts'
import { AgentProcess, runSvcd } from '../helpers/agent-process.ts'
import { heldUntilTold, LockCommand } from '../helpers/lock-command.ts'
import { living } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'

// `svcd lock` as users run it. With SVCD_CONSUL_URL set to the address of a `consul agent -dev`, the same
// tests run against that, which shows that the commands of both use the same locks in the same way.

interface Entry {
  readonly Key: string
  readonly Session?: string
}

class Place {
  readonly url: string
  readonly #t: Test

  constructor(t: Test, url: string) {
    this.#t = t
    this.url = url
  }

  static async start(t: Test): Promise<Place> {
    const consul = process.env['SVCD_CONSUL_URL']
    if (consul !== undefined) return new Place(t, consul)
    const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn'] })
    t.teardown(() => agent.stop())
    return new Place(t, agent.httpUrl)
  }

  lock(...words: readonly string[]): LockCommand {
    return new LockCommand(this.#t, this.url, words)
  }

  async json<T>(path: string, method = 'GET', body?: string): Promise<T> {
    const init = body === undefined ? { method } : { method, body }
    const text = await (await fetch(`${this.url}/v1/${path}`, init)).text()
    return JSON.parse(text === '' ? '[]' : text) as T
  }

  entries(prefix: string): Promise<readonly Entry[]> {
    return this.json(`kv/${prefix}?recurse`)
  }

  async sessions(): Promise<number> {
    return (await this.json<readonly unknown[]>('session/list')).length
  }
}

const tokenIn = ({ out }: { readonly out: string }): number => Number(/in (\d+)/.exec(out)?.[1])

t.test('svcd lock', async (t) => {
  const place = await Place.start(t)

  await t.test('runs a command with the lock, and leaves nothing behind', async (t) => {
    const script = 'echo "$CONSUL_LOCK_HELD $SVCD_LOCK_INDEX"'
    const { code, out, err } = await place.lock('-verbose', '/a/b/', script).ended
    t.equal(code, 0)
    t.match(out, /^true [1-9]\d*\n$/)
    t.match(err, /^Got the lock a\/b\/\.lock, index \d+\.\nThe command has succeeded\.\n$/)
    t.same(await place.entries('a/b'), [])
    t.equal(await place.sessions(), 0)
  })

  await t.test('has the exit codes of Consul', async (t) => {
    const failed = await place.lock('codes', 'exit 3').ended
    t.match(failed, { code: 0, err: 'svcd: The command failed: exit code 3.\n' })
    t.match(await place.lock('-child-exit-code', 'codes', 'exit 3').ended, { code: 2 })
    t.match(await place.lock('-child-exit-code', 'codes', 'true').ended, { code: 0, err: '' })
    const killed = await place.lock('-child-exit-code', 'codes', 'kill -9 $$').ended
    t.match(killed, { code: 2, err: /it was ended by SIGKILL/ })
    const absent = await place.lock('-no-shell', 'codes', '/no/such/command').ended
    t.match(absent, { code: 1, err: /Cannot run \/no\/such\/command: / })
    t.same(await place.entries('codes'), [], 'the lock is free in every case')
    t.equal(await place.sessions(), 0)
  })

  await t.test('gives everything behind the prefix to the command', async (t) => {
    const { out } = await place.lock('-shell=false', 'args', 'printf', '%s|', '-n', '--json', '-la')
      .ended
    t.equal(out, '-n|--json|-la|')
    t.equal((await place.lock('args', 'echo', 'a', '&&', 'echo', 'b').ended).out, 'a\nb\n')
  })

  await t.test('excludes, and hands over when the command ends', async (t) => {
    const first = place.lock(...heldUntilTold('x'))
    await first.says('in ')
    const second = place.lock(...heldUntilTold('x'))
    const late = await place.lock('-timeout', '300ms', 'x', 'echo never').ended
    t.match(late, { code: 1, out: '', err: /Did not get the lock x\/\.lock within 300ms/ })
    const tried = await place.lock('-try=10ms', 'x', 'echo never').ended
    t.match(tried, { code: 1, out: '' }, 'the older name of the option')
    t.equal(second.out, '')
    t.equal(await place.sessions(), 2, 'who has given up has no session')
    first.tell()
    t.match(await first.ended, { code: 0, out: /out\n$/ })
    await second.says('in ')
    t.ok(tokenIn(second) > tokenIn(first), 'the fencing token rises')
    second.tell()
    await second.ended
    const third = place.lock(...heldUntilTold('x'))
    await third.says('in ')
    t.ok(tokenIn(third) > tokenIn(second), 'also when the key was removed in between')
    third.tell()
    t.equal((await third.ended).code, 0)
    t.equal(await place.sessions(), 0)
  })

  await t.test('passes an interrupt on, and releases', async (t) => {
    const trap = 'trap "echo got INT; exit 0" INT; echo in; while :; do sleep 0.05; done'
    const holder = place.lock('int', trap)
    await holder.says('in')
    const waiter = place.lock('int', 'echo never')
    await until('two sessions', 5000, async () => (await place.sessions()) === 2)
    waiter.child.kill('SIGTERM')
    t.match(await waiter.ended, { code: 1, out: '', err: /Interrupted while waiting for the lock/ })
    holder.child.kill('SIGINT')
    t.match(await holder.ended, { code: 0, out: 'in\ngot INT\n', err: '' })
    t.same(await place.entries('int'), [])
    t.equal(await place.sessions(), 0)
  })

  await t.test('stops the command and all it started when the lock is lost', async (t) => {
    const mark = `svcd-lock-test-${process.pid}`
    const stubborn = `trap "" TERM; sh -c 'sleep 600; : ${mark}' & echo in; wait; sleep 600; : ${mark}`
    const holder = place.lock('-lock-delay=0s', 'lost', stubborn)
    await holder.says('in')
    const [entry] = await place.entries('lost')
    const start = performance.now()
    await place.json(`session/destroy/${entry?.Session ?? ''}`, 'PUT')
    t.match(await holder.ended, { code: 1, err: /Lost the lock lost\/\.lock: .*was stopped/ })
    t.ok(performance.now() - start >= 4900, 'it had its time of grace')
    t.same(living(mark), [])
  })

  await t.test('does not touch keys of others', async (t) => {
    await place.json('kv/other/.lock', 'PUT', 'a value')
    const refused = await place.lock('other', 'echo never').ended
    t.match(refused, {
      code: 1,
      out: '',
      err: /The key other\/\.lock exists, and it is not a lock/,
    })
    const also = await place.lock('-n', '2', 'other', 'echo never').ended
    t.match(also, { code: 1, out: '', err: /it is not a semaphore/ })
    t.match(await place.entries('other'), [{ Key: 'other/.lock' }])
    t.equal(await place.sessions(), 0)
  })

  await t.test('-n lets so many in', async (t) => {
    const sem = (n = '2'): LockCommand => place.lock(...heldUntilTold('sem', '-n', n))
    const [one, two] = [sem(), sem()]
    await Promise.all([one.says('in '), two.says('in ')])
    const three = sem()
    const other = await sem('3').ended
    t.match(other, { code: 1, out: '', err: /sem\/\.lock has 2 places, not 3/ })
    const mutex = await place.lock('sem', 'echo never').ended
    t.match(mutex, { code: 1, err: /it is not a lock/ }, 'one prefix is not both')
    t.match(await place.lock('-timeout=200ms', '-n=2', 'sem', 'echo no').ended, {
      code: 1,
      out: '',
    })
    t.equal(three.out, '')
    one.tell()
    t.equal((await one.ended).code, 0)
    await three.says('in ')
    t.ok(tokenIn(three) > tokenIn(one), 'larger than that of the one whose place it has')
    const holder = (await place.entries('sem')).find(({ Session }) => Session !== undefined)
    await place.json(`session/destroy/${holder?.Session ?? ''}`, 'PUT')
    const ends = await Promise.race([two.ended, three.ended])
    t.match(ends, { code: 1, err: /Lost the lock sem/ }, 'whose session ends loses its place')
    two.tell()
    three.tell()
    await Promise.all([two.ended, three.ended])
    t.same(await place.entries('sem'), [])
    t.equal(await place.sessions(), 0)
  })

  await t.test('explains wrong options', async (t) => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['-n 0 p true', /-n: "0" is not a whole number of at least 1/],
      ['-n x p true', /-n: "x" is not/],
      ['-monitor-retry -1 p true', /--monitor-retry: "-1" is not/],
      ['-timeout -1s p true', /--timeout: "-1s" is not a duration/],
      ['-ttl soon p true', /--ttl: "soon" is not a duration/],
      ['p', /command/],
      ['-n 2 / true', /The prefix is empty/],
      ['-ttl 9s p true', /ession TTL/],
    ]
    for (const [line, reason] of cases) {
      const { code, out, err } = await runSvcd(place.url, 'lock', ...line.split(' '))
      t.match({ code, out }, { code: 1, out: '' }, line)
      t.match(err, reason, line)
    }
  })
})

t.test('svcd session', async (t) => {
  const place = await Place.start(t)
  const svcd = (...words: readonly string[]) => runSvcd(place.url, 'session', ...words)
  const { out } = await svcd('create', '-name=deploy', '-ttl', '10s', '-no-checks')
  const id = out.trim()
  t.match(id, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  t.match((await svcd('list')).out, new RegExp(`^ID .*\n${id}  deploy  .*  10s  release\n$`))
  t.equal((await svcd('list', '-o', 'name')).out, `${id}\n`)
  t.equal((await svcd('list', '--node', 'none', '-o', 'name')).out, '')
  t.match((await svcd('info', id)).out, /^ID {15}.*\nName {13}deploy\nNode[^]*\nLockDelay {8}15s\n/)
  const row = { ID: id, Name: 'deploy', TTL: '10s', LockDelay: 15e9, Behavior: 'release' }
  t.match(JSON.parse((await svcd('info', '-json', id)).out), row)
  t.match(JSON.parse((await svcd('list', '-json')).out), [row])
  t.match(await svcd('renew', id), { code: 0, out: `Renewed session: ${id} (TTL 10s)\n` })
  t.match(await svcd('destroy', id), { code: 0, out: `Destroyed session: ${id}\n` })
  t.match(await svcd('renew', id), { code: 1, out: '', err: /There is no session/ })
  t.match(await svcd('info', id), { code: 1, out: '', err: /There is no session/ })
  t.match(await svcd('destroy', id), { code: 0 }, 'as in the API')
  t.match(await svcd('create', '-ttl=9s'), { code: 1, err: /TTL/ })
  t.match(await svcd('create', '-behavior=keep'), { code: 1, err: /Allowed choices/ })
  t.match(await svcd('create', '-no-checks', '-node-check=x'), { code: 1, err: /not both/ })
})

t.test(
  'DNS shows the holder of a lock from the moment it has it until it is released',
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn'] })
    t.teardown(() => agent.stop())
    const server = { address: '127.0.0.1', port: agent.dnsPort }
    const at = async (name: string): Promise<string> => {
      const { rcode, answer } = await ask(server, name, 'A', { timeoutMs: 5000, attempts: 1 })
      return [rcode, ...answer.map(({ ttl, data }) => `${ttl} ${data}`)].join(' ')
    }
    const name = 'leader.jobs.import.lock.consul'
    t.equal(await at(name), 'NXDOMAIN')
    t.equal(await at('jobs.import.lock.consul'), 'NOERROR')
    const command = new LockCommand(t, agent.httpUrl, heldUntilTold('jobs/import'))
    await command.says('in')
    t.equal(await at(name), 'NOERROR 0 127.0.0.1')
    t.equal(await at(name), 'NOERROR 0 127.0.0.1', 'from the cache')
    command.tell()
    await command.ended
    t.equal(await at(name), 'NXDOMAIN')
  },
)

t.test(
  'a silent agent costs the holder the lock, and no other its place in the queue',
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn'] })
    t.teardown(() => agent.kill())
    const mark = `svcd-lock-frozen-${process.pid}`
    const script = `: ${mark}; echo in; sleep 600`
    const options = ['-ttl=10s', '-lock-delay=0s']
    const lock = new LockCommand(t, agent.httpUrl, [...options, 'frozen', script])
    await lock.says('in')
    const next = new LockCommand(t, agent.httpUrl, [...options, 'frozen', 'echo then'])
    const sessions = async (): Promise<boolean> => {
      const list = await (await fetch(`${agent.httpUrl}/v1/session/list`)).json()
      return (list as readonly unknown[]).length === 2
    }
    await until('the next one waits', 10_000, sessions)
    const start = performance.now()
    // It accepts connections, and never answers.
    agent.child.kill('SIGSTOP')
    await until('the end of the command', 14_000, () => living(mark).length === 1)
    const lastedMs = performance.now() - start
    t.ok(lastedMs < 10_250, `it was stopped before the servers gave the lock away: ${lastedMs} ms`)
    const isOver = (): boolean => performance.now() - start > 10_250
    await until('the TTL of the next one is over', 6000, isOver)
    agent.child.kill('SIGCONT')
    t.match(await lock.ended, {
      code: 1,
      err: /Lost the lock frozen.*not renewed for its TTL of 10s/,
    })
    t.strictSame(await next.ended, { code: 0, out: 'then\n', err: '' })
  },
)

import t from 'tap'
import { startPlace } from './watcher.ts'

/** Writes what it gets to a file, one line for each run. */
const record = 'cat >> "$DIR/in"; echo "$CONSUL_INDEX" >> "$DIR/index"'

t.test(
  'a command gets the state as JSON, at the start and at each change, and only then',
  async (t) => {
    const { api, start, written, holds } = await startPlace(t)
    const watch = start('watch', '--key', 'a', '--', record)
    await holds('index', '1\n')
    for (const value of ['x', 'x', 'y']) await api.put('kv/a', value)
    await holds('in', '"eQ=="')
    await api.put('kv/b', 'z')
    await api.put('kv/a', 'y')
    await api.ask('DELETE', '/v1/kv/a')
    await holds('in', '}\nnull\n')
    watch.stop()
    t.match(await watch.ended, { code: 0, out: '', err: '' })
    const states = written('in').trim().split('\n')
    t.equal(states[0], 'null')
    t.equal(states.at(-1), 'null')
    t.ok(states.some((state) => state.includes('"eQ=="')))
    t.notOk(
      states.some((state, at) => state === states[at - 1]),
      'no state twice',
    )
    const indexes = written('index').trim().split('\n').map(Number)
    t.strictSame(
      indexes,
      indexes.toSorted((a, b) => a - b),
    )
    t.equal(indexes.length, states.length)
  },
)

t.test('a command that is slow gets the latest state, and every event', async (t) => {
  const { api, start, written, holds, touch } = await startPlace(t)
  const wait = '; while [ ! -e "$DIR/go" ]; do sleep 0.05; done'
  const key = start('watch', '--key', 'a', `cat >> "$DIR/key"; echo >> "$DIR/began"${wait}`)
  const events = start('watch', '-type', 'event', `cat >> "$DIR/events"${wait}`)
  await Promise.all([holds('began', '\n'), holds('events', '[]\n')])
  for (let at = 0; at < 20; at++) {
    await api.put('kv/a', String(at))
    await api.put(`event/fire/e${at}`)
  }
  touch('go')
  await Promise.all([holds('key', '"MTk="'), holds('events', '"e19"')])
  for (const watch of [key, events]) watch.stop()
  await Promise.all([key.ended, events.ended])
  t.ok(written('key').trim().split('\n').length < 20, 'states in between are left out')
  const names = written('events')
    .trim()
    .split('\n')
    .flatMap((line) => (JSON.parse(line) as { Name: string }[]).map(({ Name }) => Name))
  t.strictSame(
    names,
    Array.from({ length: 20 }, (_, at) => `e${at}`),
  )
})

t.test('a watch of an event runs a command for new events only', async (t) => {
  const { api, start, written, holds } = await startPlace(t)
  await api.put('event/fire/deploy', 'old')
  const own = start('watch', '--event', 'deploy', '--', 'cat >> "$DIR/own"')
  const consuls = start('watch', '-type=event', '-name=deploy', 'cat >> "$DIR/consuls"')
  await holds('consuls', 'b2xk')
  t.equal(written('own'), '')
  // It may not be connected yet.
  while (written('own') === '') {
    await api.put('event/fire/deploy', 'new')
    await new Promise((resolve) => setImmediate(resolve))
  }
  await holds('own', 'bmV3')
  for (const watch of [own, consuls]) watch.stop()
  await Promise.all([own.ended, consuls.ended])
  t.notMatch(written('own'), 'b2xk')
})

t.test('a command that fails is reported, and runs again at the next change', async (t) => {
  const { api, start, written, holds } = await startPlace(t)
  const fails = 'cat >> "$DIR/in"; exit 3'
  const watch = start('watch', '--key', 'a', fails)
  await watch.holds('err', 'svcd: The command of the watch failed: exit code 3.\n')
  await api.put('kv/a', 'x')
  await holds('in', '"eA=="')
  const killed = start('watch', '--key', 'a', 'kill -9 $$')
  await killed.holds('err', 'failed: it was ended by SIGKILL.\n')
  const none = start('watch', '--no-shell', '--key', 'a', '/no/such/program', 'x')
  await none.holds('err', 'failed: spawn /no/such/program ENOENT.\n')
  for (const each of [watch, killed, none]) each.stop()
  for (const each of [watch, killed, none]) t.match(await each.ended, { code: 0 })
  t.equal(written('in').split('\n')[0], 'null')
  const last = start('watch', '--exit-on-failure', '--key', 'a', fails)
  t.match(await last.ended, {
    code: 1,
    err: 'svcd: The command of the watch failed: exit code 3.\n',
  })
})

t.test('a command need not read, and its own flags are its own', async (t) => {
  const { api, start, holds, written } = await startPlace(t)
  await api.put('kv/a', 'x'.repeat(500_000))
  const direct = ['sh', '-c', 'echo "$1|$2" >> "$DIR/args"', 'sh', '-key', 'a  b']
  const watches = [
    start('watch', '-key', 'a', '-shell=false', ...direct),
    start('watch', '-key', 'a', '--no-shell', '--', ...direct),
    start('watch', '-key', 'a', 'echo', '-n', 'joined', '|', 'cat', '>>', '"$DIR/joined"'),
  ]
  await Promise.all([holds('args', '\n-key|a  b\n'), holds('joined', 'joined')])
  for (const watch of watches) watch.stop()
  for (const watch of watches) t.match(await watch.ended, { code: 0, err: '' })
  t.equal(written('args'), '-key|a  b\n-key|a  b\n')
})

t.test('a stop waits for the command, and SIGTERM ends it', async (t) => {
  const { start, written, holds, touch } = await startPlace(t)
  const slow =
    'echo began > "$DIR/F"; while [ ! -e "$DIR/go" ]; do sleep 0.05; done; echo end >> "$DIR/F"'
  const waits = start('watch', '--key', 'a', slow.replaceAll('F', 'waits'))
  const ends = start(
    'watch',
    '--key',
    'a',
    `trap 'echo term >> "$DIR/ends"; exit' TERM; ${slow.replaceAll('F', 'ends')}`,
  )
  await Promise.all([holds('waits', 'began'), holds('ends', 'began')])
  ends.stop('SIGTERM')
  t.match(await ends.ended, { code: 0, err: '' })
  t.equal(written('ends'), 'began\nterm\n')
  waits.stop('SIGINT')
  touch('go')
  t.match(await waits.ended, { code: 0, err: '' })
  t.equal(written('waits'), 'began\nend\n')
})

import t from 'tap'
import { startPlace, untimed } from './watcher.ts'

t.test('a watch of a key and of a prefix prints each change once', async (t) => {
  const { api, start } = await startPlace(t)
  await api.put('kv/config/port', '5432')
  const key = start('watch', '--key', '/config/port')
  const tree = start('watch', '--prefix', 'config/')
  await Promise.all([key.holds('out', '5432'), tree.holds('out', '5432')])
  await api.put('kv/config/port', '5433')
  await Promise.all([key.holds('out', '5433'), tree.holds('out', '5433')])
  await api.put('kv/config/port', '5433')
  await api.put('kv/other', 'x')
  await api.put('kv/config/name?flags=18446744073709551615', 'a\u001b[2Jb')
  await tree.holds('out', 'name')
  await api.ask('DELETE', '/v1/kv/config?recurse')
  await Promise.all([key.holds('out', '- config/port'), tree.holds('out', '- config/port')])
  for (const watch of [key, tree]) watch.stop()
  t.match(await key.ended, { code: 0, err: '' })
  t.equal(
    untimed(key.printed.out),
    '+ config/port  5432\n~ config/port  5433  (value was 5432)\n- config/port  5433\n',
  )
  const name = String.raw`config/name  a\u{1b}[2Jb  flags 18446744073709551615`
  t.equal(
    untimed((await tree.ended).out),
    `+ config/port  5432\n~ config/port  5433  (value was 5432)\n+ ${name}\n- ${name}\n- config/port  5433\n`,
  )
})

t.test('a watch of events prints those that there are, and then each new one once', async (t) => {
  const { api, start } = await startPlace(t)
  await api.put('event/fire/deploy', 'v1')
  const named = start('watch', '--event', 'deploy')
  const all = start('watch', '--events', '--json')
  await Promise.all([named.holds('out', 'v1'), all.holds('out', 'deploy')])
  await api.put('event/fire/reload')
  await all.holds('out', 'reload')
  await api.put('event/fire/deploy', 'v2\n')
  await Promise.all([named.holds('out', 'v2'), all.holds('out', 'djIK')])
  for (const watch of [named, all]) watch.stop()
  t.equal(untimed((await named.ended).out), '+ deploy  v1\n+ deploy  v2\\u{a}\n')
  const lines = (await all.ended).out.trim().split('\n')
  const last = (await api.get('event/list')).headers['x-consul-index']
  t.ok(lines.at(-1)?.startsWith(`{"index":${String(last)},"data":[{`), 'the whole index')
  t.strictSame(
    lines.map((line) => (JSON.parse(line) as { data: { Name: string }[] }).data.map((e) => e.Name)),
    [['deploy'], ['reload'], ['deploy']],
  )
})

t.test("Consul's form prints the state once, as Consul's command does", async (t) => {
  const { api, svcd } = await startPlace(t)
  await api.put('kv/a?flags=18446744073709551615', 'hello')
  await api.put('event/fire/deploy', 'v1')
  const key = await svcd('watch', '-type', 'key', '-key', 'a')
  t.match(key, { code: 0, err: '', out: /^\{\n {4}"LockIndex": 0,\n {4}"Key": "a",/ })
  t.match(key.out, '    "Flags": 18446744073709551615,\n')
  t.match(JSON.parse(key.out), { Key: 'a', Value: 'aGVsbG8=', Session: '', LockIndex: 0 })
  t.match(await svcd('watch', '-type=key', '-key=none'), { code: 0, out: 'null\n' })
  t.match(await svcd('watch', '-type=keyprefix', '-prefix=none/'), { code: 0, out: 'null\n' })
  const of = async (...words: readonly string[]): Promise<unknown> =>
    JSON.parse((await svcd('watch', ...words)).out)
  t.match(await of('-type=keyprefix', '-prefix=a'), [{ Key: 'a' }])
  t.match(await of('-type=event', '-name=deploy'), [{ Name: 'deploy', Payload: 'djE=' }])
  t.strictSame(await of('-type=event', '-name=none'), [])
  t.match(await of('-type=service', '-service=consul', '-passingonly=true'), [{ Checks: [{}] }])
  t.strictSame(await of('-type=services'), { consul: [] })
  t.match(await of('-type=nodes'), [{ Node: 'n1' }])
  t.strictSame(await of('-type=checks', '-state=critical'), [])
  t.strictSame(await of('-type=checks', '-service=none'), [])
})

t.test('what cannot be watched is refused, in the words of Consul', async (t) => {
  const { svcd } = await startPlace(t)
  const cases: readonly (readonly [line: string, text: RegExp])[] = [
    ['-type key', /Must specify a single key to watch/],
    ['-type keyprefix', /Must specify a single prefix to watch/],
    ['-type service', /Must specify a single service to watch/],
    ['-type checks -service a -state b', /Cannot specify service and state/],
    ['-type foo', /Unsupported watch type: foo\. Use one of key, /],
    ['-type connect_leaf', /Type connect_leaf is not supported in the CLI tool/],
    ['-type agent_service', /Type agent_service is not supported in the CLI tool/],
    ['-type key -key a -prefix b', /Invalid parameters: \[prefix\]/],
    ['-type event -name x -state y', /Invalid parameters: \[state\]/],
    ['-type service -service x -passingonly maybe', /Failed to parse passingonly flag: "maybe"/],
    ['-type key -key a -nodes', /Use either --type or --nodes/],
    ['--key a --prefix b', /Use one of .*--key KEY/],
    ['--key a --passing', /--passing and --tag select instances of a service/],
    ['--key a --filter x', /--filter and --node-meta do not select keys or events/],
    ['--event deploy --state passing', /Use --state only with --checks/],
  ]
  for (const [line, text] of cases) {
    const { code, out, err } = await svcd('watch', ...line.split(' '))
    t.strictSame([code, out], [1, ''], line)
    t.match(err, text)
  }
  t.match(await svcd('watch', '--key', ''), { code: 1, err: /Must specify a single key/ })
  t.match(await svcd('watch', '--event', ''), { code: 1, err: /name of the event is empty/ })
})

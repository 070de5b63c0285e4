import t from 'tap'
import { startPlace } from '../watch/watcher.ts'

t.test('an event is fired and listed', async (t) => {
  const { svcd } = await startPlace(t)
  t.match(await svcd('event', 'list'), { code: 0, out: /^LTime +Name +Payload +For\n$/ })
  const fired = await svcd('event', '-name', 'deploy', 'v42 \u001b')
  t.match(fired, { code: 0, err: '', out: /^Event ID: [\da-f-]{36}\n$/ })
  await svcd('event', '-name=a/b', '-node=^n1$', '-service=.', '-tag=^v')
  await svcd('event', '-name=a/b', '-node=^n1$', '-service=consul')
  await svcd('event', '-name=there', '-node=^n2$')
  t.equal(
    (await svcd('event', 'list')).out,
    'LTime  Name    Payload     For\n' +
      '1      deploy  v42 \\u{1b}\n' +
      '3      a/b                 node ^n1$, service consul\n',
  )
  t.equal((await svcd('event', 'list', '-name', 'a/b', '-o', 'name')).out, 'a/b\n')
  t.match((await svcd('event', 'list', '-node', '.', '-o', 'name')).out, 'deploy\na/b\n')
  const json = JSON.parse((await svcd('event', 'list', '--json')).out) as { ID: string }[]
  t.match(fired.out, json[0]?.ID)
  t.match(JSON.parse((await svcd('event', '-name', 'x', '--json', 'y')).out), {
    Name: 'x',
    Payload: 'eQ==',
    LTime: 5,
  })
})

t.test('what cannot be fired is refused', async (t) => {
  const { svcd } = await startPlace(t)
  const cases: readonly (readonly [words: readonly string[], text: RegExp])[] = [
    [['event'], /^svcd: Event name must be specified/],
    [['event', '-name', 'x', '-tag', 'v'], /^svcd: Cannot provide tag filter without service/],
    [['event', '-name', 'x', '-node', '('], /Invalid node filter: error parsing regexp: missing/],
    [['event', '-name', 'x', 'a', 'b'], /Too many arguments/],
    [['event', '-name', 'x', 'a'.repeat(4097)], /4097 bytes\) too large, max size: 4096 bytes/],
  ]
  for (const [words, text] of cases) {
    const { code, out, err } = await svcd(...words)
    t.strictSame([code, out], [1, ''])
    t.match(err, text)
  }
})

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../../src/cli/run.ts'
import { ProgressBar } from '../../src/cli/progress-bar.ts'
import { TestApi } from '../api/support.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

type Ask = (line: string, drawn?: (text: string) => void) => Promise<Ran>

async function startApi(t: Test): Promise<{ api: TestApi; ask: Ask }> {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  const ask: Ask = async (line, drawn) => {
    let [out, err] = ['', '']
    const code = await run(line.split(' '), {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      drawn,
      env,
      readText: async (path) => readFileSync(path, 'utf8'),
    })
    return { code, out, err }
  }
  return { api, ask }
}

const id = '11111111-2222-3333-4444-555555555555'

t.test('members are listed as Consul lists them', async (t) => {
  const { api, ask } = await startApi(t)
  api.backend.servers.push({
    id: 'x',
    address: '[::1]:8300',
    isVoter: false,
    isLeader: false,
    lastIndex: 0,
  })
  t.equal(
    (await ask('members')).out,
    'Node       Address         Status  Type    Build  Protocol  DC   Segment\n' +
      '(unknown)  [::1]:8300      none    server         2         dc1  <all>\n' +
      'n1         127.0.0.1:8300  alive   server  0.1.0  2         dc1  <all>\n',
  )
  const detailed = (await ask('members -detailed -status alive')).out
  t.match(detailed, /^Node  Address         Status  Tags\nn1 .* acls=0,build=[^,]*,dc=dc1,id=1111/)
  t.match(JSON.parse((await ask('members --json')).out), [{}, { Name: 'n1', Status: 1 }])
  t.match(await ask('members -status failed'), { code: 2, out: '', err: /^svcd: No server/ })
  t.match(await ask('members -status ('), { code: 1, err: /^svcd: Option -status: / })
})

t.test('operators list and change the servers', async (t) => {
  const { api, ask } = await startApi(t)
  t.equal(
    (await ask('operator raft list-peers')).out,
    'Node  ID                                    Address         State   Voter  RaftProtocol\n' +
      `n1    ${id}  127.0.0.1:8300  leader  true   3\n`,
  )
  t.match(JSON.parse((await ask('operator raft list-peers -json')).out), [{ ID: id, Leader: true }])
  api.backend.leaderAddress = ''
  t.match(await ask('operator raft list-peers'), { code: 1, err: /reports: No cluster leader/ })
  t.equal((await ask('operator raft list-peers -stale')).code, 0)
  api.backend.leaderAddress = '127.0.0.1:8300'

  t.equal((await ask('operator raft transfer-leader')).out, 'Success\n')
  t.equal((await ask(`operator raft transfer-leader -id ${id}`)).out, 'Success\n')
  t.equal(
    (await ask(`operator raft add-peer -id ${id} -address 10.0.0.4:8300`)).out,
    `Added peer with id "${id}"\n`,
  )
  t.equal(
    (await ask('operator raft remove-peer -address=127.0.0.1:8300')).out,
    'Removed peer with address "127.0.0.1:8300"\n',
  )
  t.equal((await ask(`operator raft remove-peer -id ${id}`)).out, `Removed peer with id "${id}"\n`)
  t.equal(
    (await ask('join 10.0.0.1 10.0.0.2:8300')).out,
    'Successfully joined cluster by contacting 2 nodes.\n',
  )
  t.match(await ask('force-leave n1'), { code: 1, err: /n1 is alive/ })
  t.match(await ask('force-leave nobody'), { code: 1, err: /No node found with name 'nobody'/ })
  t.equal((await ask('leave')).out, 'Graceful leave complete\n')
  t.strictSame(
    api.backend.operations.map(({ kind }) => kind),
    ['transfer', 'transfer', 'change', 'change', 'change', 'join', 'join', 'leave'],
  )
  for (const line of ['remove-peer', `remove-peer -id ${id} -address a:1`, 'add-peer -id x']) {
    t.match(await ask(`operator raft ${line}`), { code: 1, err: /^svcd: Use / }, line)
  }
  t.match(await ask('operator raft remove-peer -id abc'), { code: 1, err: /was not found in/ })
})

t.test(
  'commands of several words are found, and their first words explain themselves',
  async (t) => {
    const { ask } = await startApi(t)
    t.match(await ask('operator'), {
      code: 1,
      err: /`svcd operator` needs a subcommand: raft list-peers,/,
    })
    t.match(await ask('snapshot'), {
      code: 1,
      err: /needs a subcommand: save, restore, inspect\./,
    })
    t.match(await ask('operator raft --help'), { code: 0, out: /operator raft recover/ })
    t.match(await ask('help snapshot save'), { code: 0, out: /^Usage: svcd snapshot save/ })
    t.match(await ask('snapshot svae x'), { code: 1, err: /^svcd: Unknown command "snapshot svae/ })
    t.match(await ask('operators'), { code: 1, err: /Did you mean/ })
  },
)

t.test('a snapshot is saved, inspected and restored', async (t) => {
  const { api, ask } = await startApi(t)
  const directory = api.backend.directory
  const file = join(directory, 'a.snap')
  await ask('register web --port 80')
  await api.put('catalog/register', { Node: 'other', Address: '10.0.0.1' })
  const drawn: string[] = []
  t.strictSame(await ask(`snapshot save ${file}`, (text) => drawn.push(text)), {
    code: 0,
    out: 'Saved and verified snapshot to index 3\n',
    err: '',
  })
  t.match(drawn.join(''), /\rSaving \[#{30}\] 100% {2}(\S+ \S+) of \1/)
  t.strictSame(
    readdirSync(directory).filter((name) => name.endsWith('.tmp')),
    [],
  )

  const inspected = (await ask(`snapshot inspect ${file}`)).out
  t.match(
    inspected,
    /^ID {11}1-3\nSize {9}\d+\nIndex {8}3\nTerm {9}1\nVersion {6}\d+\nCluster {6}c1\n/,
  )
  t.match(inspected, /^services +2$/m)
  t.match(JSON.parse((await ask(`snapshot inspect ${file} --json`)).out), { rows: { nodes: 2 } })

  await api.put('catalog/deregister', { Node: 'other' })
  t.equal((await ask(`snapshot restore ${file}`)).out, 'Restored snapshot\n')
  t.match((await ask('nodes')).out, /^other /m)
})

t.test(
  'a file that is no snapshot is refused by every command, a bad place by its name',
  async (t) => {
    const { api, ask } = await startApi(t)
    const junk = join(api.backend.directory, 'junk')
    writeFileSync(junk, Buffer.alloc(3_000_000, 'x'))
    t.match(await ask(`snapshot restore ${junk}`), {
      code: 1,
      err: /^svcd: The snapshot .* not a gzip/,
    })
    t.match(await ask(`snapshot inspect ${junk}`), {
      code: 1,
      err: /junk cannot be used: .* not a gzip/,
    })
    t.match(await ask('snapshot restore /nowhere/x'), { code: 1, err: /x cannot be used: ENOENT/ })
    t.match(await ask('snapshot inspect /nowhere/x'), { code: 1, err: /x cannot be used: ENOENT/ })
    const saved = await ask('snapshot save /nowhere/x')
    t.match(saved, { code: 1, err: /^svcd: Cannot write the file \/nowhere\/x: ENOENT/ })
  },
)

t.test('recovery asks for a directory, and says what holds nothing', async (t) => {
  const { api, ask } = await startApi(t)
  t.match(await ask('operator raft recover'), { code: 1, err: /Give the data directory/ })
  const line = `operator raft recover -data-dir ${api.backend.directory}`
  t.match(await ask(line), {
    code: 1,
    err: /Cannot recover from .*: there is no raft\.db/,
  })
})

t.test('a bar fills as bytes arrive, in the largest unit that fits', async (t) => {
  const drawn: string[] = []
  const bar = new ProgressBar('Saving', 3 * 1024 * 1024, (text) => drawn.push(text))
  bar.add(512)
  bar.add(3 * 1024 * 1024 - 512)
  bar.end()
  t.equal(drawn[0], `\rSaving [${'-'.repeat(30)}]   0%  512 B of 3.0 MiB\u001b[K`)
  t.equal(drawn.at(-2), `\rSaving [${'#'.repeat(30)}] 100%  3.0 MiB of 3.0 MiB\u001b[K`)
  t.equal(drawn.at(-1), '\n')
  t.ok(drawn.length <= 4, 'it is not drawn for every chunk')
})

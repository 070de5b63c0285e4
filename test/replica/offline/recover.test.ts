import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { encodeConfig, decodeConfig } from '../../../src/raft/config.ts'
import { must } from '../../../src/base/assert.ts'
import { recoverCluster } from '../../../src/replica/offline/recover.ts'
import { RaftLog } from '../../../src/storage/log/raft-log.ts'

const voters = ['a', 'b', 'c']
const addresses = { a: 'a:8300', b: 'b:8300', c: 'c:8300' }
const config = { voters, votersOutgoing: [], learners: [], addresses, prevConfIndex: 0 }

/** A server's directory: three founders, commands up to entry 5, known to be committed up to 3. */
function directoryOf(t: Test, id: string): string {
  const directory = join(t.testdir(), 'd')
  mkdirSync(directory)
  writeFileSync(join(directory, 'node-id'), `${id}\n`)
  const log = new RaftLog(join(directory, 'raft.db'))
  log.setMeta('clusterId', 'k')
  const data = Buffer.from('x')
  log.write(
    {
      hardState: { term: 4, vote: 'b', commit: 3 },
      snapshot: undefined,
      truncateFrom: undefined,
      entries: [
        { index: 1, term: 1, kind: 'config', data: encodeConfig(config) },
        ...[2, 3, 4, 5].map((index) => ({ index, term: 2, kind: 'command' as const, data })),
      ],
    },
    () => {},
  )
  log.close()
  return directory
}

t.test(
  'the server is the only member, in a new epoch, with all of its log committed',
  async (t) => {
    const directory = directoryOf(t, 'b')
    t.strictSame(recoverCluster(directory), {
      id: 'b',
      address: 'b:8300',
      clusterId: 'k',
      epoch: 1,
      lastIndex: 6,
      adopted: 2,
      dropped: ['a:8300', 'c:8300'],
    })
    const log = new RaftLog(join(directory, 'raft.db'))
    t.match(log.state(), { hardState: { term: 5, commit: 6 }, lastIndex: 6 })
    t.equal(log.meta('epoch'), '1')
    const [entry] = log.entries(6, 6, 1000)
    t.strictSame(decodeConfig(must(entry).data), {
      voters: ['b'],
      votersOutgoing: [],
      learners: [],
      addresses: { b: 'b:8300' },
      prevConfIndex: 1,
    })
    log.close()
    t.match(
      recoverCluster(directory, { address: '10.0.0.9:8300' }),
      { epoch: 2, lastIndex: 7, adopted: 0, dropped: [], address: '10.0.0.9:8300' },
      'once more does no harm',
    )
  },
)

t.test('nothing is recovered from what holds nothing, and nothing is made there', async (t) => {
  const directory = t.testdir()
  t.throws(() => recoverCluster(directory), { code: 'recover-refused', message: /no raft\.db/ })
  t.strictSame(readdirSync(directory), [])
  new RaftLog(join(directory, 'raft.db')).close()
  t.throws(() => recoverCluster(directory), { code: 'recover-refused', message: /log is empty/ })
})

t.test('a server that was no member any more is refused', async (t) => {
  const directory = directoryOf(t, 'x')
  const expected = { code: 'recover-refused', message: /server x is not a member/ }
  t.throws(() => recoverCluster(directory), expected)
  const log = new RaftLog(join(directory, 'raft.db'))
  t.equal(log.meta('epoch'), undefined)
  t.equal(log.state().lastIndex, 5)
  log.close()
})

t.test('a directory that is in use is refused', async (t) => {
  const directory = directoryOf(t, 'b')
  const log = new RaftLog(join(directory, 'raft.db'))
  t.throws(() => recoverCluster(directory), { code: 'data-dir-in-use' })
  log.close()
})

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import { nodeIdOf } from '../../../src/replica/offline/node-id.ts'
import { encodeConfig } from '../../../src/raft/config.ts'
import { RaftLog } from '../../../src/storage/log/raft-log.ts'
import { AgentProcess } from '../../helpers/agent-process.ts'

const own = '11111111-1111-4111-8111-111111111111'
const other = '22222222-2222-4222-8222-222222222222'

interface Directory {
  /** Undefined: no file. */
  readonly written: string | undefined
  /** Undefined: no raft.db. */
  readonly marks?: Readonly<Record<string, string>>
  /** Of the configuration in the log. */
  readonly voters?: readonly string[]
}

function directoryOf(t: Test, { written, marks, voters }: Directory): string {
  const directory = t.testdir()
  if (written !== undefined) writeFileSync(join(directory, 'node-id'), written)
  if (marks === undefined) return directory
  const log = new RaftLog(join(directory, 'raft.db'))
  for (const [key, value] of Object.entries(marks)) log.setMeta(key, value)
  if (voters !== undefined) {
    const addresses = Object.fromEntries(voters.map((id) => [id, '10.0.0.1:8300']))
    const config = { voters, votersOutgoing: [], learners: [], addresses, prevConfIndex: 0 }
    const hardState = { term: 1, vote: undefined, commit: 1 }
    const entry = { index: 1, term: 1, kind: 'config' as const, data: encodeConfig(config) }
    const write = { hardState, snapshot: undefined, truncateFrom: undefined, entries: [entry] }
    log.write(write, () => {})
  }
  log.close()
  return directory
}

const cluster = { clusterId: 'k' }

type Row = readonly [
  what: string,
  directory: Directory,
  given: string | undefined,
  id: string | RegExp,
]

const rows: readonly Row[] = [
  ['the first start', { written: undefined }, undefined, /^[0-9a-f-]{36}$/],
  ['the first start with an id', { written: undefined }, own, own],
  ['a later start', { written: `${own}\n`, marks: cluster }, undefined, own],
  ['an empty file, no cluster', { written: '', marks: {} }, undefined, /^[0-9a-f-]{36}$/],
  [
    'garbage, no cluster',
    { written: 'x' },
    undefined,
    /node-id does not contain a UUID\. .* remove the file/,
  ],
  ['another id, no cluster', { written: own, marks: { nodeId: own } }, other, other],
  ['lost, kept', { written: undefined, marks: { ...cluster, nodeId: own } }, undefined, own],
  ['garbage, kept', { written: '\0\0', marks: { ...cluster, nodeId: own } }, undefined, own],
  ['empty, kept', { written: '', marks: { ...cluster, nodeId: own } }, undefined, own],
  ['lost', { written: undefined, marks: cluster }, undefined, /node-id is missing\. Write its ID/],
  ['lost, pledged', { written: undefined, marks: { pledge: '{}' } }, undefined, /is missing/],
  [
    'garbage',
    { written: 'x', marks: cluster },
    undefined,
    /file node-id does not contain a UUID\. Write/,
  ],
  ['lost, and given', { written: undefined, marks: cluster, voters: [own] }, own, own],
  [
    'given wrongly',
    { written: undefined, marks: cluster, voters: [own] },
    other,
    /not one of the mem/,
  ],
  [
    'given differently',
    { written: own, marks: cluster },
    other,
    /-node-id 2.* does not match its ID, 1/,
  ],
  [
    'given differently from what is kept',
    { written: undefined, marks: { ...cluster, nodeId: own } },
    other,
    /-node-id 2.* does not match its ID, 1/,
  ],
]

t.test('a node has one id for all time, and no start makes up another one', async (t) => {
  for (const [what, written, given, id] of rows) {
    await t.test(what, async (t) => {
      const directory = directoryOf(t, written)
      const found = ((): string => {
        try {
          return nodeIdOf(directory, given, silentLogger)
        } catch (error) {
          return String(error)
        }
      })()
      t.match(found, id)
      if (!/^[0-9a-f-]{36}$/.test(found)) return
      t.equal(readFileSync(join(directory, 'node-id'), 'utf8').trim(), found, 'it is written down')
      t.equal(nodeIdOf(directory, undefined, silentLogger), found, 'and found again')
    })
  }
})

t.test(
  'a server whose node-id file is lost comes back, and one with another id does not',
  async (t) => {
    const directory = t.testdir()
    const file = join(directory, 'node-id')
    const args = ['-server', '-bind=127.0.0.1', `-data-dir=${directory}`]
    const first = await AgentProcess.start({ args })
    t.equal((await first.put('agent/service/register', { Name: 'web' })).status, 200)
    const id = readFileSync(file, 'utf8').trim()
    await first.stop()
    rmSync(file)
    const again = await AgentProcess.start({ args })
    t.equal((await again.put('agent/service/register', { Name: 'web2' })).status, 200, 'it writes')
    t.equal(readFileSync(file, 'utf8').trim(), id, 'under the id it had')
    t.match(again.output, 'restored it from the log')
    await again.stop()
    writeFileSync(file, `${other}\n`)
    const wrong = AgentProcess.spawn({ args })
    t.equal(await wrong.exited, 1)
    t.match(wrong.output, `${other} does not match its node ID, ${id}. Write its ID`)
  },
)

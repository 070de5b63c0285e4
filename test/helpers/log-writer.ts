import { writeSync } from 'node:fs'
import { must } from '../../src/base/assert.ts'
import type { Entry } from '../../src/raft/entry.ts'
import { RaftLog } from '../../src/storage/log/raft-log.ts'

// A process to be killed: write n has term n, commits entry n - 1, cuts the log back to entry n and
// puts three entries of its term there. It prints n when the write is done.

const log = new RaftLog(must(process.argv[2], 'the path of the log'))
const { hardState, lastIndex } = log.state()
let last = lastIndex
for (let term = hardState.term + 1; ; term++) {
  const entries: Entry[] = [0, 1, 2].map((at) => ({
    index: term + at,
    term,
    kind: 'command',
    data: Buffer.alloc(300 * term * at, term),
  }))
  const truncateFrom = term <= last ? term : undefined
  const write = { hardState: { term, vote: `n${term}`, commit: term - 1 }, snapshot: undefined }
  log.write({ ...write, truncateFrom, entries }, () => writeSync(1, `${term}\n`))
  last = term + 2
}

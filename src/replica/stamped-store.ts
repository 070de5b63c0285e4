import type { LogStore } from '../raft/storage.ts'
import type { Stamp } from './messages.ts'

/** Marks each write in the stamp, by which the main thread sees a disk that hangs. */
export function stampedStore(log: LogStore, stamp: Stamp): LogStore {
  return {
    state: () => log.state(),
    term: (index) => log.term(index),
    entries: (from, to, bytesMax) => log.entries(from, to, bytesMax),
    snapshot: () => log.snapshot(),
    compact: (index) => log.compact(index),
    saveSnapshot: (meta) => log.saveSnapshot(meta),
    write: (write, done) => {
      stamp.enter()
      log.write(write, () => stamp.leave())
      done()
    },
  }
}

import { must } from '../../src/base/assert.ts'
import type { LogStore } from '../../src/raft/storage.ts'
import type { SimDisk } from './disk.ts'
import { Ended } from './ended.ts'
import type { Host } from './host.ts'

/** The disk, as long as a process lives: `mustLive` throws when it has ended. */
export function storeOf(disk: SimDisk, mustLive: () => void): LogStore {
  return {
    state: () => disk.state(),
    term: (index) => disk.term(index),
    entries: (from, to, bytesMax) => disk.entries(from, to, bytesMax),
    snapshot: () => disk.snapshot(),
    compact: (index) => disk.compact(index),
    saveSnapshot: (meta) => disk.saveSnapshot(meta),
    write: (write, done) => {
      mustLive()
      disk.write(write, done)
    },
  }
}

/** The log as the founding writes it: synced when the call returns, or the process has ended. */
export function foundingLogOf<Replica>(
  node: Host<Replica>,
  clusterId: string,
  mustLive: () => void,
): Pick<LogStore, 'state' | 'write'> {
  const { disk, world, id } = node
  return {
    state: () => disk.state(),
    write: (write) => {
      mustLive()
      node.ledger.onFounded(id, clusterId, must(write.entries[0]))
      disk.commitWrite(write)
      // A process may end between this write and the next.
      if (!world.isFaulty || !world.options.faults.has('crash') || world.random() > 0.3) return
      world.crashSoon(node)
      throw new Ended()
    },
  }
}

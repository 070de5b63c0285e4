import type { SnapshotFiles } from '../../peers/snapshots/transfer.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { RaftLog } from '../../storage/log/raft-log.ts'
import type { SnapshotStore } from '../../storage/snapshot/snapshot.ts'
import { addressesIn } from './open-keeper.ts'
import type { RaftServer } from '../raft-server.ts'

export interface MemberSnapshotsParts {
  readonly files: SnapshotStore
  readonly raft: () => RaftServer | undefined
  readonly log: RaftLog
  /** This server has no state, and asks those whom its log names. */
  readonly isLost: () => boolean
  /** A stranger wants to send one. */
  readonly met: (id: NodeId) => void
}

/** Snapshots from members; of a stranger not a byte is written. */
export function memberSnapshots(parts: MemberSnapshotsParts): SnapshotFiles {
  const { files, raft, log, isLost, met } = parts
  return {
    open: (meta) => files.open(meta),
    receive: (from, meta, file) => {
      const isKnown = isLost()
        ? addressesIn(log).has(from.id)
        : raft()?.driver.raft.knows(from.id) === true
      if (isKnown) return files.receive(from, meta, file)
      met(from.id)
      return Promise.reject(new Error(`${from.id} is not a member of this cluster`))
    },
  }
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { members } from '../../raft/config.ts'
import { RaftLog } from '../../storage/log/raft-log.ts'
import { latestConfig } from './latest-config.ts'

/** What raft.db knows of whose it is. */
export interface LogOwner {
  /** Undefined: written by a release that did not keep it there. */
  readonly nodeId: string | undefined
  /** Whether others know this server by its id. */
  readonly isMember: boolean
  /** By its log; empty when that does not say. */
  readonly members: readonly string[]
}

/** Throws what opening the log throws. */
export function ownerOf(directory: string): LogOwner {
  const path = join(directory, 'raft.db')
  // Opening would make what is not there.
  if (!existsSync(path)) return { nodeId: undefined, isMember: false, members: [] }
  const log = new RaftLog(path)
  try {
    const isMember = log.meta('clusterId') !== undefined || log.meta('pledge') !== undefined
    const latest = latestConfig(log)
    const ids = latest === undefined ? [] : members(latest.config)
    return { nodeId: log.meta('nodeId'), isMember, members: ids }
  } finally {
    log.close()
  }
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { svcdError } from '../../base/errors.ts'
import { encodeConfig, members } from '../../raft/config.ts'
import { RaftLog } from '../../storage/log/raft-log.ts'
import { latestConfig } from './latest-config.ts'
import { writtenNodeId } from './node-id.ts'

export interface Recovery {
  readonly id: string
  readonly address: string
  readonly clusterId: string
  /** Counts the recoveries of this cluster; servers of an earlier one are refused from now on. */
  readonly epoch: number
  /** The last entry, which makes this server the only member. */
  readonly lastIndex: number
  /** Entries that this server did not know to be committed, and that are committed now. */
  readonly adopted: number
  /** Addresses of those that were members before. */
  readonly dropped: readonly string[]
}

export interface RecoverOptions {
  /** `host:port` for others, where it is another than before. */
  readonly address?: string | undefined
}

/**
 * Makes a stopped server the only member of its cluster, for the case that most of the others are
 * lost permanently. All entries of its log count as committed, as in hashicorp/raft's
 * RecoverCluster: acknowledged writes are then kept, if this server ever had them.
 *
 * Throws SvcdError `recover-refused` (nothing was changed), `data-dir-in-use`, `data-corrupt`.
 */
export function recoverCluster(dataDirectory: string, options: RecoverOptions = {}): Recovery {
  const refuse = (reason: string): Error =>
    svcdError('recover-refused', { path: dataDirectory, reason })
  const path = join(dataDirectory, 'raft.db')
  // Opening would make what is not there.
  if (!existsSync(path)) throw refuse('there is no raft.db')
  const log = new RaftLog(path)
  try {
    return recoverLog(log, {
      address: options.address,
      id: () => log.meta('nodeId') ?? writtenNodeId(dataDirectory),
      refuse,
    })
  } finally {
    log.close()
  }
}

/** What a recovery does to a log, which may be one in memory. */
export type RecoveredLog = Pick<RaftLog, 'meta' | 'setMeta' | 'state' | 'entries' | 'write'>

/** {@link recoverCluster} on a log that is open. Each of its two writes is synced before the next. */
export function recoverLog(
  log: RecoveredLog,
  parts: RecoverOptions & {
    /** Of this server; undefined when nothing on its disk says it. */
    readonly id: () => string | undefined
    readonly refuse: (reason: string) => Error
  },
): Recovery {
  const clusterId = log.meta('clusterId')
  const { hardState, lastIndex } = log.state()
  if (clusterId === undefined || lastIndex === 0) throw parts.refuse('its log is empty')
  const id = parts.id()
  if (id === undefined || id === '') throw parts.refuse('its node ID is missing')
  const latest = latestConfig(log)
  const address = parts.address ?? latest?.config.addresses[id]
  if (latest === undefined || !members(latest.config).includes(id) || address === undefined) {
    throw parts.refuse(`according to its own log, server ${id} is not a member of the cluster`)
  }
  // Above an epoch that only others had: by this the operator says that this server continues.
  const known = ['epoch', 'newestEpoch'].map((name) => Number(log.meta(name) ?? 0))
  const epoch = Math.max(...known) + 1
  // First, so that no moment of a crash leaves two clusters of one epoch.
  log.setMeta('epoch', String(epoch))
  const rest = { votersOutgoing: [], learners: [], prevConfIndex: latest.index }
  const config = { voters: [id], addresses: { [id]: address }, ...rest }
  const entry = {
    index: lastIndex + 1,
    term: hardState.term + 1,
    kind: 'config' as const,
    data: encodeConfig(config),
  }
  log.write(
    {
      hardState: { term: entry.term, vote: undefined, commit: entry.index },
      snapshot: undefined,
      truncateFrom: undefined,
      entries: [entry],
    },
    () => {},
  )
  const { addresses } = latest.config
  return {
    id,
    address,
    clusterId,
    epoch,
    lastIndex: entry.index,
    adopted: lastIndex - hardState.commit,
    dropped: members(latest.config).flatMap((other) =>
      other === id ? [] : [addresses[other] ?? other],
    ),
  }
}

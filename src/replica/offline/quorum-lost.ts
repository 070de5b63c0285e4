import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { svcdError } from '../../base/errors.ts'
import { isReachable } from '../../peers/reachable.ts'
import { emptyConfig } from '../../raft/config.ts'
import { majority } from '../../raft/quorum.ts'
import { RaftLog } from '../../storage/log/raft-log.ts'
import { latestConfig } from './latest-config.ts'
import { writtenNodeId } from './node-id.ts'

const answerMs = 1000

/**
 * Refuses when enough of the other voters accept connections to be a majority: the cluster then
 * continues without this server, and a recovery would end it. Rejects with SvcdError
 * `recover-refused`.
 */
export async function assertQuorumLost(dataDirectory: string): Promise<void> {
  const { voters, others } = votersIn(dataDirectory)
  const answers = await Promise.all(others.map((address) => isReachable(address, answerMs)))
  const live = others.filter((_, at) => answers[at] === true)
  if (live.length === 0 || live.length < majority(voters)) return
  const reason =
    `the other servers answer at ${live.join(', ')} and form a majority: start this server without recovering it. ` +
    'To recover it anyway, add --force; the other servers then stop accepting writes'
  throw svcdError('recover-refused', { path: dataDirectory, reason })
}

/** How many there are, and the addresses of all but this server, by its own log. */
function votersIn(dataDirectory: string): { voters: number; others: readonly string[] } {
  const path = join(dataDirectory, 'raft.db')
  if (!existsSync(path)) return { voters: 0, others: [] }
  const log = new RaftLog(path)
  try {
    const id = log.meta('nodeId') ?? writtenNodeId(dataDirectory)
    const { voters, addresses } = latestConfig(log)?.config ?? emptyConfig
    const others = voters.filter((other) => other !== id)
    return { voters: voters.length, others: others.map((other) => addresses[other] ?? '') }
  } finally {
    log.close()
  }
}

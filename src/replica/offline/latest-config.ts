import { must } from '../../base/assert.ts'
import { decodeConfig } from '../../raft/config.ts'
import type { PlacedConfig } from '../../raft/config.ts'
import type { RaftLog } from '../../storage/log/raft-log.ts'

const entriesMax = 1000

/**
 * The members by the log alone, whether their entry was committed or not: it came into force
 * immediately.
 */
export function latestConfig(log: Pick<RaftLog, 'state' | 'entries'>): PlacedConfig | undefined {
  const { base, lastIndex, snapshot } = log.state()
  for (let to = lastIndex; to > base.index; to -= entriesMax) {
    const from = Math.max(base.index + 1, to - entriesMax + 1)
    for (const { index, kind, data } of log.entries(from, to, Infinity).toReversed()) {
      if (kind === 'config') {
        return { index, config: must(decodeConfig(data), `entry ${index} is a configuration`) }
      }
    }
  }
  return snapshot && { index: snapshot.confIndex, config: snapshot.config }
}

import { randomUUID } from 'node:crypto'
import { withPort } from '../../base/host-port.ts'
import type { Logger } from '../../base/log.ts'
import type { PeerTransport } from '../../peers/transport.ts'
import type { RaftLog } from '../../storage/log/raft-log.ts'
import type { ReplicaSettings } from '../messages.ts'
import { ClusterFormation } from './formation.ts'
import { foundCluster } from './founding.ts'
import type { ClusterMarks } from './marks.ts'
import type { AskPeer } from './peer-questions.ts'

const joinTimeoutMs = 3000

export interface OpenFormationParts {
  readonly settings: ReplicaSettings
  readonly log: RaftLog
  readonly marks: ClusterMarks
  readonly transport: () => Pick<PeerTransport, 'address' | 'invitedBy'>
  readonly ask: AskPeer
  readonly logger: Logger
  readonly nowMs: () => number
  /** This server has a cluster now. */
  readonly begin: () => void
}

/** How a server finds or founds its cluster, over its own log, marks and connections. */
export function openFormation(parts: OpenFormationParts): ClusterFormation {
  const { settings, log, marks, transport, ask, logger, nowMs, begin } = parts
  const { id, name, bootstrapExpect, retryJoin } = settings
  return new ClusterFormation({
    self: {
      id,
      name,
      expect: bootstrapExpect,
      get address() {
        return transport().address
      },
    },
    retryJoin: retryJoin.map((address) => withPort(address, 8300)),
    invitedBy: () => transport().invitedBy(),
    pledge: () => marks.pledge,
    setPledge: (pledge) => marks.setPledge(pledge),
    newClusterId: randomUUID,
    request: (address, kind, body) => ask({ address }, kind, body, joinTimeoutMs),
    found: (clusterId, founders) => {
      foundCluster(log, marks, { clusterId, founders })
      const servers = Object.keys(founders).length
      logger.info({ clusterId, servers }, 'bootstrapped a new cluster')
      begin()
    },
    join: (clusterId, epoch) => {
      marks.setEpoch(epoch)
      marks.setClusterId(clusterId)
      logger.info({ clusterId }, 'joined a cluster')
      begin()
    },
    logger,
    nowMs,
  })
}

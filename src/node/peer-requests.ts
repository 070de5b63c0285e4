import { members } from '../raft/config.ts'
import type { NodeId } from '../raft/entry.ts'
import type { ClusterFormation, Pledge, ServerInfo } from './cluster-formation.ts'
import type { Operations } from './operations.ts'
import type { ProposalResult } from './proposals.ts'
import type { RaftServer } from './raft-server.ts'
import type { Membership } from './removal-notice.ts'
import type { ReplicaSettings } from './replica-messages.ts'

export interface PeerRequestsParts {
  readonly settings: ReplicaSettings
  readonly raft: () => RaftServer | undefined
  readonly formation: ClusterFormation
  readonly operations: Operations
  readonly cluster: () => {
    readonly address: string
    readonly clusterId: string | undefined
    readonly epoch: number
    readonly pledge: Pledge | undefined
  }
}

/** What other servers ask this one, Raft's own messages aside. Bodies and answers are JSON. */
export class PeerRequests {
  readonly #parts: PeerRequestsParts

  constructor(parts: PeerRequestsParts) {
    this.#parts = parts
  }

  /** Rejects with an error of the table; it travels to who asked. */
  async answer(kind: string, body: Buffer): Promise<Buffer> {
    return Buffer.from(JSON.stringify(await this.#answer(kind, body)))
  }

  #answer(kind: string, body: Buffer): unknown {
    const { formation, operations, cluster } = this.#parts
    const asked = JSON.parse(body.toString()) as never
    switch (kind) {
      case 'propose':
        return this.#propose(asked)
      case 'info':
        return this.#info()
      case 'membership':
        return this.#membership(asked)
      case 'pledge':
        return formation.onPledgeRequest(asked, cluster().clusterId !== undefined)
      default:
        return operations.onRequest(kind, asked)
    }
  }

  #propose(proposals: readonly string[]): Promise<ProposalResult[]> {
    const raft = this.#parts.raft()
    if (raft === undefined) return Promise.resolve(proposals.map(() => ({ kind: 'not-leader' })))
    const results = proposals.map(
      (json) =>
        new Promise<ProposalResult>((resolve) => {
          raft.propose(json, false, resolve)
        }),
    )
    return Promise.all(results)
  }

  #membership(id: NodeId): Membership {
    const status = this.#parts.raft()?.status
    const isMember = status !== undefined && members(status.config).includes(id)
    return { isMember, hasLeader: status?.leader !== undefined }
  }

  #info(): ServerInfo {
    const { id, name, bootstrapExpect: expect } = this.#parts.settings
    const { address, clusterId, epoch, pledge } = this.#parts.cluster()
    // A pledge to a cluster that never began says nothing about this one.
    const founders = pledge?.clusterId === clusterId ? (pledge?.founders ?? {}) : {}
    return { id, name, address, expect, clusterId, epoch, founders }
  }
}

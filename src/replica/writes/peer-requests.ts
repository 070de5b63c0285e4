import { reasonOf, svcdError } from '../../base/errors.ts'
import {
  hasFields,
  isListOf,
  isOneOf,
  isOptional,
  isFlag,
  isRecordOf,
  isText,
  isWhole,
} from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { PlacedSums } from '../../state/machine/apply.ts'
import { proposalFault } from '../../state/families.ts'
import { describePeer, printable } from '../../peers/hello.ts'
import type { PeerNotices } from '../../process/peer-notices.ts'
import type { PeerAsking } from '../../peers/options.ts'
import { emptyConfig, isMember } from '../../raft/config.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { ClusterFormation, Pledge, ServerInfo } from '../cluster/formation.ts'
import type { Operations } from './operations.ts'
import type { ProposalResult } from './proposals.ts'
import type { RaftServer } from '../raft-server.ts'
import type { Membership } from '../cluster/removal-notice.ts'
import type { ReplicaSettings } from '../messages.ts'
import type { SnapshotLending } from '../state/snapshot-lending.ts'
import type { StateKeeper } from '../state/keeper.ts'

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
    /** Where this server reaches others. */
    readonly places: Readonly<Record<NodeId, string>>
  }
  readonly state: () => Pick<StateKeeper, 'report' | 'onDiffers'>
  /** Sends the server that asks a snapshot. */
  readonly lend: SnapshotLending['lend']
  /** Where refusals are said. */
  readonly notices: PeerNotices
}

const isChange = hasFields({
  kind: isOneOf('add-learner', 'promote', 'demote', 'remove'),
  id: isText,
  force: isOptional(isFlag),
})
const isAddition = hasFields({ kind: isOneOf('add-learner') })
const isPlace = hasFields({ address: isText })

/**
 * The shape of each request. A request of another shape must neither reach the log nor end this
 * process.
 */
const shapes: Readonly<Record<string, Shape>> = {
  info: () => true,
  membership: isText,
  join: hasFields({ id: isText, address: isText }),
  pledge: hasFields({
    clusterId: isText,
    by: isText,
    founders: isRecordOf(isText),
    released: isListOf(isText),
  }),
  propose: isListOf(isText),
  transfer: isText,
  health: isText,
  'state-sums': () => true,
  snapshot: hasFields({ minIndex: isWhole, leaderOnly: isFlag }),
  'state-differs': hasFields({ index: isWhole, text: isText }),
  change: (value) => isChange(value) && (!isAddition(value) || isPlace(value)),
}

/** The requests that are allowed to a server that is not a member. */
const forStrangers: ReadonlySet<string> = new Set(['info', 'join', 'pledge', 'membership'])

/** What other servers ask this one, Raft's own messages aside. Bodies and answers are JSON. */
export class PeerRequests {
  readonly #parts: PeerRequestsParts

  constructor(parts: PeerRequestsParts) {
    this.#parts = parts
  }

  /** Rejects with an error of the table; it travels to who asked. */
  async answer(from: PeerAsking, kind: string, body: Buffer): Promise<Buffer> {
    return Buffer.from(JSON.stringify(await this.#answer(from, kind, body)))
  }

  #answer(from: PeerAsking, kind: string, body: Buffer): unknown {
    const { formation, operations, cluster } = this.#parts
    const asked = this.#checked(from, kind, body)
    switch (kind) {
      case 'propose':
        return this.#propose(from, asked)
      case 'info':
        return this.#info(from)
      case 'membership':
        return this.#membership(asked)
      case 'state-sums':
        return this.#parts.state().report()
      case 'snapshot':
        return this.#parts.lend(from.id, asked)
      case 'state-differs':
        return this.#onDiffers(from, asked)
      case 'pledge':
        return formation.onPledgeRequest(
          this.#checkedPledge(from, asked),
          cluster().clusterId !== undefined,
        )
      case 'join':
        return operations.onRequest(kind, this.#checkedJoin(from, asked))
      default:
        return operations.onRequest(kind, asked)
    }
  }

  #checked(from: PeerAsking, kind: string, body: Buffer): never {
    if (!Object.hasOwn(shapes, kind)) throw svcdError('unknown-request', { kind })
    if (!from.isMember && !forStrangers.has(kind)) {
      throw this.#refuse(from, kind, 'it is not in a cluster')
    }
    let asked: unknown
    try {
      asked = JSON.parse(body.toString())
    } catch (error) {
      throw this.#refuse(from, kind, reasonOf(error))
    }
    if (shapes[kind]?.(asked) !== true) throw this.#refuse(from, kind, 'the request is malformed')
    if (!forStrangers.has(kind) && !this.#isMember(from.id) && !isOwnRemoval(from, kind, asked)) {
      throw this.#refuse(from, kind, 'it is not a member of this cluster')
    }
    return asked as never
  }

  #isMember(id: NodeId): boolean {
    return isMember(this.#parts.raft()?.driver.raft.state.config ?? emptyConfig, id)
  }

  /**
   * A server may ask for itself alone. It is let in when it has proven who it is; otherwise only when
   * an operator has let it in before, and it asks because it does not know that yet.
   */
  #checkedJoin(from: PeerAsking, asked: { readonly id: NodeId; readonly address: string }): object {
    if (asked.id !== from.id)
      throw this.#refuse(from, 'join', 'it asks on behalf of another server')
    if (from.isAuthentic || this.#isMember(from.id)) return asked
    this.#refuse(from, 'join', 'it cannot prove its identity')
    throw svcdError('join-refused', { id: printable(from.id), address: printable(asked.address) })
  }

  #checkedPledge(from: PeerAsking, asked: Pledge): Pledge {
    const { id } = this.#parts.settings
    if (asked.by !== from.id)
      throw this.#refuse(from, 'pledge', 'it asks on behalf of another server')
    if (id in asked.founders) return asked
    throw this.#refuse(from, 'pledge', 'this server would not be a founder')
  }

  #refuse(from: PeerAsking, kind: string, reason: string): Error {
    const text = `refusing the request "${kind}" from ${describePeer(from)}: ${printable(reason)}`
    this.#parts.notices.warn(from.id, `${kind} ${reason}`, { peer: from.id, kind }, text)
    return svcdError('peer-refused', { kind, reason })
  }

  #propose(from: PeerAsking, proposals: readonly string[]): Promise<ProposalResult[]> {
    const raft = this.#parts.raft()
    if (raft === undefined) return Promise.resolve(proposals.map(() => ({ kind: 'not-leader' })))
    const results = proposals.map((json) => {
      const fault = proposalFault(json)
      if (fault !== undefined) {
        const { message } = this.#refuse(from, 'propose', fault)
        return Promise.resolve({ kind: 'failed', code: 'peer-refused', message } as const)
      }
      return new Promise<ProposalResult>((resolve) => {
        raft.propose(json, false, resolve)
      })
    })
    return Promise.all(results)
  }

  /** A leader reports it. The report is compared with this server's own state. */
  #onDiffers(from: PeerAsking, told: PlacedSums): { readonly isKnown: boolean } {
    if (this.#parts.raft()?.status.leader !== from.id) {
      throw this.#refuse(from, 'state-differs', 'it is not the leader')
    }
    return { isKnown: this.#parts.state().onDiffers(told) }
  }

  #membership(id: NodeId): Membership {
    const status = this.#parts.raft()?.status
    return { isMember: this.#isMember(id), hasLeader: status?.leader !== undefined }
  }

  #info(from: PeerAsking): ServerInfo {
    const { id, name, bootstrapExpect: expect } = this.#parts.settings
    const { address, clusterId, epoch, pledge, places } = this.#parts.cluster()
    // A pledge to a cluster that never began says nothing about this one.
    const all = pledge?.clusterId === clusterId ? (pledge?.founders ?? {}) : {}
    // Each is told about itself; who the others are is not for everybody.
    const own = all[from.id]
    const founders = own === undefined ? {} : { [from.id]: own }
    const info = { id, name, address, expect, clusterId, epoch, founders }
    return from.isMember && this.#isMember(from.id) ? { ...info, places } : info
  }
}

/** Asked for again, the answer having been lost: it has left already. */
function isOwnRemoval(from: PeerAsking, kind: string, asked: unknown): boolean {
  const { kind: change, id } = asked as { kind?: unknown; id?: unknown }
  return kind === 'change' && change === 'remove' && id === from.id
}

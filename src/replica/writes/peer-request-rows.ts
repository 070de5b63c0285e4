import { svcdError } from '../../base/errors.ts'
import {
  hasFields,
  isFlag,
  isListOf,
  isOneOf,
  isOptional,
  isRecordOf,
  isText,
  isWhole,
} from '../../base/shape.ts'
import { printable } from '../../peers/hello.ts'
import type { PeerAsking } from '../../peers/options.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { PlacedSums } from '../../state/machine/apply.ts'
import type { ClusterFormation, Pledge, ServerInfo } from '../cluster/formation.ts'
import type { Membership } from '../cluster/removal-notice.ts'
import type { ReplicaSettings } from '../messages.ts'
import type { RaftServer } from '../raft-server.ts'
import type { StateKeeper } from '../state/keeper.ts'
import type { SnapshotLending, SnapshotWish } from '../state/snapshot-lending.ts'
import { fittingResults } from './answer-size.ts'
import type { Change, Operations } from './operations.ts'
import type { Asker, PeerRequestRow } from './peer-request-row.ts'
import { unpackProposals } from './packed-proposals.ts'
import type { ProposalResult } from './proposals.ts'
import { readProposal } from './sent-proposal.ts'

/** What the answers are made of. */
export interface AnswerParts {
  readonly settings: ReplicaSettings
  readonly raft: () => RaftServer | undefined
  readonly isMember: (id: NodeId) => boolean
  readonly formation: Pick<ClusterFormation, 'onPledgeRequest'>
  readonly operations: Pick<
    Operations,
    'transfer' | 'change' | 'health' | 'letIn' | 'renewSessions' | 'lockDelay'
  >
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
}

const isChange = hasFields({
  kind: isOneOf('add-learner', 'promote', 'demote', 'remove'),
  id: isText,
  force: isOptional(isFlag),
})
const isAddition = hasFields({ kind: isOneOf('add-learner') })
const isPlace = hasFields({ address: isText })
const anything = (): boolean => true

/** All that other servers may ask this one, Raft's own messages aside. */
export function peerRequestRows(parts: AnswerParts): readonly PeerRequestRow[] {
  return [...findingRows(parts), ...operationRows(parts), ...stateRows(parts)]
}

/** How servers find each other, and form and join a cluster. */
function findingRows(parts: AnswerParts): readonly PeerRequestRow[] {
  const { settings, raft, isMember, formation, operations, cluster } = parts
  const info: PeerRequestRow = {
    kind: 'info',
    shape: anything,
    who: 'anyone',
    answer: (_, { from, isMember: isOurs }) => infoFor(from, isOurs, parts),
  }
  const membership: PeerRequestRow<NodeId> = {
    kind: 'membership',
    shape: isText,
    who: 'anyone',
    answer: (id): Membership => ({
      isMember: isMember(id),
      hasLeader: raft()?.status.leader !== undefined,
    }),
  }
  const pledge: PeerRequestRow<Pledge> = {
    kind: 'pledge',
    shape: hasFields({
      clusterId: isText,
      by: isText,
      founders: isRecordOf(isText),
      released: isListOf(isText),
    }),
    who: 'anyone',
    answer: (asked, { from, refuse }) => {
      if (asked.by !== from.id) throw refuse('it asks on behalf of another server')
      if (!(settings.id in asked.founders)) throw refuse('this server would not be a founder')
      return formation.onPledgeRequest(asked, cluster().clusterId !== undefined)
    },
  }
  const join: PeerRequestRow<{ readonly id: NodeId; readonly address: string }> = {
    kind: 'join',
    shape: hasFields({ id: isText, address: isText }),
    who: 'anyone',
    answer: ({ id, address }, asker) => {
      mustMayJoin(id, address, asker)
      return operations.letIn(id, address)
    },
  }
  return [info, membership, pledge, join]
}

/** What the leader does for the others. */
function operationRows({ operations, raft }: AnswerParts): readonly PeerRequestRow[] {
  const propose: PeerRequestRow<readonly Buffer[]> = {
    kind: 'propose',
    read: unpackProposals,
    shape: Array.isArray,
    who: 'member',
    answer: (proposals, { refuse }) => proposeAll(proposals, raft(), refuse),
  }
  const transfer: PeerRequestRow<NodeId> = {
    kind: 'transfer',
    shape: isText,
    who: 'member',
    leaderOnly: true,
    answer: (to) => operations.transfer(to),
  }
  const change: PeerRequestRow<Change> = {
    kind: 'change',
    shape: (value) => isChange(value) && (!isAddition(value) || isPlace(value)),
    who: 'member',
    // Asked for again, the answer having been lost: it has left already.
    mayAskAnyway: ({ kind, id }, from) => kind === 'remove' && id === from.id,
    leaderOnly: true,
    answer: (asked) => operations.change(asked),
  }
  const health: PeerRequestRow = {
    kind: 'health',
    shape: isText,
    who: 'member',
    leaderOnly: true,
    answer: () => operations.health(),
  }
  const renewSessions: PeerRequestRow<readonly string[]> = {
    kind: 'renew-sessions',
    shape: isListOf(isText),
    who: 'member',
    leaderOnly: true,
    answer: (ids) => operations.renewSessions(ids),
  }
  const lockDelay: PeerRequestRow<string> = {
    kind: 'lock-delay',
    shape: isText,
    who: 'member',
    leaderOnly: true,
    answer: (key) => operations.lockDelay(key),
  }
  return [propose, transfer, change, health, renewSessions, lockDelay]
}

/** Comparing the states of the servers, and lending one. */
function stateRows({ state, lend, raft }: AnswerParts): readonly PeerRequestRow[] {
  const sums: PeerRequestRow = {
    kind: 'state-sums',
    shape: anything,
    who: 'member',
    answer: () => state().report(),
  }
  const differs: PeerRequestRow<PlacedSums> = {
    kind: 'state-differs',
    shape: hasFields({ index: isWhole, text: isText }),
    who: 'member',
    // The leader's report is compared with this server's own state.
    answer: (told, { from, refuse }) => {
      if (raft()?.status.leader !== from.id) throw refuse('it is not the leader')
      return { isKnown: state().onDiffers(told) }
    },
  }
  const snapshot: PeerRequestRow<SnapshotWish> = {
    kind: 'snapshot',
    shape: hasFields({ minIndex: isWhole, leaderOnly: isFlag }),
    who: 'member',
    answer: (wish, { from }) => lend(from.id, wish),
  }
  return [sums, differs, snapshot]
}

function infoFor(
  { id: asker, isMember }: PeerAsking,
  isOurs: boolean,
  { settings, cluster }: AnswerParts,
): ServerInfo {
  const { id, name, bootstrapExpect: expect } = settings
  const { address, clusterId, epoch, pledge, places } = cluster()
  // A pledge to a cluster that never began says nothing about this one.
  const all = pledge?.clusterId === clusterId ? (pledge?.founders ?? {}) : {}
  // Each is told about itself; the names of the others are not for every server.
  const own = all[asker]
  const founders = own === undefined ? {} : { [asker]: own }
  const info = { id, name, address, expect, clusterId, epoch, founders }
  return isMember && isOurs ? { ...info, places } : info
}

/**
 * A server may ask for itself alone. It is let in when it has proven who it is; otherwise only when an
 * operator has let it in before, and it asks because it does not know that yet.
 */
function mustMayJoin(id: NodeId, address: string, { from, isMember, refuse }: Asker): void {
  if (id !== from.id) throw refuse('it asks on behalf of another server')
  if (from.isAuthentic || isMember) return
  refuse('it cannot prove its identity')
  throw svcdError('join-refused', { id: printable(from.id), address: printable(address) })
}

/** The result of each, once all of them have one. */
async function proposeAll(
  proposals: readonly Buffer[],
  raft: RaftServer | undefined,
  refuse: Asker['refuse'],
): Promise<readonly ProposalResult[]> {
  if (raft === undefined) return proposals.map(() => ({ kind: 'not-leader' }))
  const results = proposals.map((bytes) => {
    const read = readProposal(bytes)
    if (read.fault !== undefined) {
      const { message } = refuse(read.fault)
      return Promise.resolve({ kind: 'failed', code: 'peer-refused', message } as const)
    }
    return new Promise<ProposalResult>((resolve) => {
      raft.propose({ bytes, parsed: read.parsed }, false, resolve)
    })
  })
  return fittingResults(await Promise.all(results))
}

import { members } from '../raft/config.ts'
import type { NodeId } from '../raft/entry.ts'
import type { Logger } from '../base/log.ts'
import type { PeerTarget } from './peer-questions.ts'
import type { RaftServer } from './raft-server.ts'
import { RemovalNotice } from './removal-notice.ts'
import type { Membership } from './removal-notice.ts'
import type { ReplicaSettings } from './replica-messages.ts'
import { Vouching } from './vouching.ts'

// What a server asks the members that it knows about itself and about others.

export interface AskingMembersParts {
  readonly settings: ReplicaSettings
  readonly raft: () => RaftServer | undefined
  readonly ask: (
    target: PeerTarget,
    kind: string,
    body: unknown,
    timeoutMs: number,
  ) => Promise<Membership>
  readonly logger: Logger
  readonly nowMs: () => number
}

const timeoutMs = 3000

export function makeRemovalNotice(parts: AskingMembersParts): RemovalNotice {
  const { settings, raft, ask, logger } = parts
  return new RemovalNotice({
    self: settings.id,
    hasLeader: () => raft() === undefined || raft()?.status.leader !== undefined,
    others: () => otherMembers(parts),
    ask: (id) => ask({ id }, 'membership', settings.id, timeoutMs),
    logger,
  })
}

export function makeVouching(parts: AskingMembersParts): Vouching {
  const { settings, raft, ask, logger, nowMs } = parts
  return new Vouching({
    members: () => otherMembers(parts),
    ask: (whom, about) => ask({ id: whom }, 'membership', about, timeoutMs),
    isAuthenticated: settings.tls !== undefined || settings.secret?.isRequired === true,
    onVouched: (id) => {
      logger.info({ peer: id }, `${id} is a member that this server did not know yet`)
      raft()?.driver.raft.vouch(id)
    },
    logger,
    nowMs,
  })
}

function otherMembers({ settings, raft }: AskingMembersParts): readonly NodeId[] {
  const config = raft()?.driver.raft.state.config
  return config === undefined ? [] : members(config).filter((id) => id !== settings.id)
}

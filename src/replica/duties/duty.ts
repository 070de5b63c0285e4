import type { Status as RaftStatus } from '../../raft/status.ts'
import type { TokensExpireCommand } from '../../state/acl/commands.ts'
import type { DeregisterCommand, UpdateCheckCommand } from '../../state/catalog/commands.ts'
import type { DnsCookieRotateCommand } from '../../state/dns-cookie/commands.ts'
import type { BatchCommand } from '../../state/machine/command.ts'
import type { UseFormatCommand } from '../../state/machine/used-format.ts'
import type { LockDelayEndCommand, SessionDestroyCommand } from '../../state/session/commands.ts'

/** What a leader proposes by itself. */
export type OwnCommand =
  | UpdateCheckCommand
  | DeregisterCommand
  | UseFormatCommand
  | TokensExpireCommand
  | DnsCookieRotateCommand
  | BatchCommand<SessionDestroyCommand>
  | BatchCommand<LockDelayEndCommand>

/**
 * Work of a leader beside replication. A duty keeps no timer of its own: the time is an argument, on the
 * monotonic clock.
 */
export interface Duty {
  /** This server begins to lead, or begins to lead another term. */
  started?(status: RaftStatus, nowMs: number): void
  /** A few times a second while this server leads. */
  check(status: RaftStatus, nowMs: number): void
  /** This server has lost leadership, and perhaps its last proposals with it. */
  ended?(): void
}

import type { CommandBody } from '../state/families.ts'
import type { CommandOrigin, Outcome } from '../state/machine/command.ts'

/** The actor, its token and the cause, for the command's envelope. */
export interface Origin extends Pick<CommandOrigin, 'actor' | 'accessor' | 'cause'> {
  /** What the client's program calls itself, for the agent's own log only. */
  readonly client?: string | undefined
}

/** Changes of the replicated state. */
export interface Writes {
  /**
   * Resolves when the command is committed and applied here. Rejects with `no-leader`, `busy`,
   * `stopping`, `command-too-large`.
   */
  propose(body: CommandBody, origin: Origin): Promise<Outcome>
}

/** The rules of Autopilot that an operator can set, the same on all servers. */
export interface AutopilotSettings {
  /** Whether the leader removes a failed server whose place a new one has taken. */
  readonly cleanupDeadServers: boolean
  /** The leader removes no server if fewer voters would remain. */
  readonly minQuorum: number
}

export interface AutopilotConfiguration extends AutopilotSettings {
  readonly createIndex: number
  readonly modifyIndex: number
}

/** While no setting was changed. */
export const defaultAutopilot: AutopilotConfiguration = {
  cleanupDeadServers: true,
  minQuorum: 0,
  createIndex: 1,
  modifyIndex: 1,
}

/** More voters than any cluster has. */
export const minQuorumMax = 255

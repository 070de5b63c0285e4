/** The tokens of the agent itself that can be set while it runs, in Consul's words. */
export type AgentTokenType = 'agent' | 'agentRecovery' | 'default' | 'dns'

/** The tokens of this agent. They are forgotten when it stops. */
export interface AgentTokens {
  /** '' takes the token of the configuration. */
  setToken(type: AgentTokenType, secret: string): void
}

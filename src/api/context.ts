import type { AgentTokens } from '../ports/agent-tokens.ts'
import type { LocalAgent } from '../ports/agent.ts'
import type { BootstrapReset } from '../ports/bootstrap-reset.ts'
import type { Cluster } from '../ports/cluster.ts'
import type { LocalDns } from '../ports/dns.ts'
import type { Facts } from '../ports/facts.ts'
import type { History } from '../ports/history.ts'
import type { FollowedLog } from '../ports/log.ts'
import type { Families } from '../ports/reads.ts'
import type { Reload } from '../ports/reload.ts'
import type { Sessions } from '../ports/sessions.ts'
import type { Snapshots } from '../ports/snapshots.ts'
import type { Explanations } from '../ports/explanations.ts'
import type { Tokens } from '../ports/tokens.ts'
import type { Writes } from '../ports/writes.ts'
import type { Endpoint } from '../http/endpoint.ts'
import type { Measured } from '../http/measured.ts'
import type { ReadContext } from '../http/read.ts'
import type { Denials } from '../http/denials.ts'
import type { SaidWarnings } from '../http/said-warnings.ts'
import type { NewSecrets } from './new-secrets.ts'
import type { LineStreams } from '../http/line-streams.ts'
import type { Streams } from './streams/streams.ts'
import type { TokenStreams } from './streams/token-streams.ts'

/** The ports of a node, one by one, and the parts of the API that endpoints share. */
export interface ApiContext extends ReadContext {
  readonly agent: LocalAgent
  readonly families: Families
  readonly writes: Writes
  readonly tokens: Tokens
  readonly explanations: Explanations
  readonly agentTokens: AgentTokens
  readonly bootstrapReset: BootstrapReset
  readonly newSecrets: NewSecrets
  readonly wallMs: () => number
  readonly sessions: Sessions
  readonly cluster: Cluster
  readonly snapshots: Snapshots
  readonly files: Reload
  readonly facts: Facts
  readonly history: History
  /** Undefined: DNS is off. */
  readonly dns: LocalDns | undefined
  readonly log: FollowedLog
  readonly streams: Streams
  readonly lines: LineStreams
  /** Ends streams whose token is gone or has other rights. */
  readonly tokenStreams: TokenStreams
  /** Which warnings about registrations were logged already. */
  readonly said: SaidWarnings
  /** Logs registrations that are denied. */
  readonly denials: Denials
  readonly measured: Measured
  /** The OpenAPI document, as JSON. */
  readonly document: () => Promise<Buffer>
}

/** A row of the API. */
export type ApiEndpoint = Endpoint<ApiContext>

/** Ties what a row reads of the body to what its handler gets. */
export function endpoint<Body = undefined>(row: Endpoint<ApiContext, Body>): ApiEndpoint {
  return row
}

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import type { AgentTokens, AgentTokenType } from '../ports/agent-tokens.ts'
import type { Families } from '../ports/reads.ts'
import type { Writes } from '../ports/writes.ts'
import { aclFamily } from '../state/acl/family.ts'
import { InitialToken } from '../tokens/initial-token.ts'
import { TokenBook } from '../tokens/token-book.ts'
import type { TokenOptions } from '../tokens/token-book.ts'

export interface AccessControlParts {
  readonly config: Pick<Config, 'acl' | 'datacenter' | 'nodeName'>
  readonly families: Families
  readonly writes: Writes
  readonly clock: Clock
  readonly logger: Logger
}

/** Access control of one node: its options, and the tokens that follow from them. */
export class AccessControl implements AgentTokens {
  readonly tokens: TokenBook
  readonly #initial: InitialToken
  readonly #set = new Map<AgentTokenType, string>()
  #acl: Config['acl']

  constructor({ config, families, writes, clock, logger }: AccessControlParts) {
    const { acl, datacenter, nodeName } = config
    const state = families.of(aclFamily)
    this.#acl = acl
    this.tokens = new TokenBook(this.#options(), {
      state,
      datacenter,
      nodeName,
      clock,
      logger,
    })
    const actor = `agent ${nodeName}`
    const wallMs = (): number => clock.wallMs()
    this.#initial = new InitialToken({ state, writes, wallMs, actor, logger })
    this.#apply()
    this.tokens.onChange(() => this.#initial.check())
  }

  /** To be called with the options of a reload. */
  setOptions(acl: Config['acl']): void {
    if (JSON.stringify(acl) === JSON.stringify(this.#acl)) return
    this.#acl = acl
    this.#apply()
  }

  setToken(type: AgentTokenType, secret: string): void {
    if (secret === '') this.#set.delete(type)
    else this.#set.set(type, secret)
    this.#apply()
  }

  /** The secret of the token whose rights DNS answers have; undefined: the anonymous token. */
  get dnsSecret(): string | undefined {
    return this.#secretOf('dns') ?? this.#secretOf('default')
  }

  /** To be called with each status of the cluster. */
  see(isLeader: boolean): void {
    this.#initial.see(isLeader)
  }

  stop(): Promise<void> {
    return this.tokens.stop()
  }

  #apply(): void {
    const { enabled, tokens } = this.#acl
    this.tokens.setOptions(this.#options())
    this.#initial.setSecret(enabled ? tokens.initialManagement : undefined)
  }

  #options(): TokenOptions {
    const { enabled: isEnabled, defaultPolicy } = this.#acl
    return {
      isEnabled,
      defaultPolicy,
      defaultSecret: this.#secretOf('default'),
      recoverySecret: this.#secretOf('agentRecovery'),
    }
  }

  #secretOf(type: AgentTokenType): string | undefined {
    return this.#set.get(type) ?? this.#acl.tokens[type]
  }
}

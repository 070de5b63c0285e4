import type { Caller } from '../access/caller.ts'
import { Authorizer } from '../access/rules/authorizer.ts'
import { effectiveRules } from '../access/rules/effective-rules.ts'
import { isIdentityName } from '../access/rules/identities.ts'
import type { DefaultPolicy } from '../access/rules/authorizer.ts'
import { anybody } from '../access/requester.ts'
import type { Requester } from '../access/requester.ts'
import { recoveryRequester } from './recovery-requester.ts'
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type {
  AccessQuestion,
  ExplainedToken,
  Explanations,
  TokenRules,
} from '../ports/explanations.ts'
import type { FamilyReads } from '../ports/reads.ts'
import type { Tokens } from '../ports/tokens.ts'
import type { Wait } from '../ports/waits.ts'
import type { AclToken, Grants } from '../state/acl/model.ts'
import type { AclReader } from '../state/acl/reader.ts'
import { anySubject } from '../state/machine/versions.ts'
import { Callers } from './callers.ts'
import type { RuleSource } from './policy-texts.ts'
import { anonymousSecret, hashOfSecret, secretLengthMax } from '../state/acl/secret-hash.ts'

/** The options of access control. */
export interface TokenOptions {
  readonly isEnabled: boolean
  readonly defaultPolicy: DefaultPolicy
  /** The secret of requests that send none; undefined: they are anonymous. */
  readonly defaultSecret: string | undefined
  /** Not the secret of a token: who sends it may change this agent. Undefined: there is none. */
  readonly recoverySecret?: string | undefined
}

export interface TokenBookParts {
  readonly state: Pick<FamilyReads<AclReader>, 'read' | 'version' | 'waitForChange'>
  /** Policies and identities can be for some datacenters only. */
  readonly datacenter: string
  readonly nodeName: string
  readonly clock: Pick<Clock, 'wallMs'>
  readonly logger: Logger
}

interface Known {
  readonly requester: Requester
  /** Infinity for a token that does not expire. */
  readonly expiresMs: number
}

/** Secrets whose requesters are remembered. */
const knownMax = 4096
const waitMsMax = 600_000

/** Finds the token of each request to this server. */
export class TokenBook implements Tokens, Explanations {
  readonly #parts: TokenBookParts
  readonly #callers: Callers
  readonly #recovery: Requester
  readonly #known = new Map<string, Known>()
  readonly #listeners = new Set<() => void>()
  #options: TokenOptions
  #version: number | undefined
  #following: Promise<void> | undefined
  #wait: Wait | undefined
  #isStopped = false

  constructor(options: TokenOptions, parts: TokenBookParts) {
    this.#options = options
    this.#parts = parts
    this.#callers = new Callers(parts.logger)
    this.#recovery = recoveryRequester(parts.nodeName)
  }

  get isEnabled(): boolean {
    return this.#options.isEnabled
  }

  get defaultPolicy(): DefaultPolicy {
    return this.#options.isEnabled ? this.#options.defaultPolicy : 'allow'
  }

  /** To be called at a reload. */
  setOptions(options: TokenOptions): void {
    this.#options = options
    this.#known.clear()
    this.#tell()
    this.#follow()
  }

  requester(secret: string | undefined): Requester {
    if (!this.#options.isEnabled) return anybody
    const asked = given(secret) ?? given(this.#options.defaultSecret) ?? anonymousSecret
    const { state, clock } = this.#parts
    // Before the read: a change in between voids it.
    const version = state.version()
    if (version !== this.#version) {
      this.#known.clear()
      this.#version = version
    }
    let known = this.#known.get(asked)
    if (known === undefined) {
      known = this.#find(asked)
      if (this.#known.size >= knownMax) this.#known.clear()
      this.#known.set(asked, known)
    }
    if (known.expiresMs !== Infinity && known.expiresMs <= clock.wallMs()) {
      throw svcdError('acl-not-found', {})
    }
    return known.requester
  }

  isSecret(text: string): boolean {
    if (text === anonymousSecret || text === '' || text.length > secretLengthMax) return false
    const hash = hashOfSecret(text)
    if (this.#isRecovery(hash)) return true
    try {
      return this.#parts.state.read((reader) => reader.tokenOfSecret(hash)) !== undefined
    } catch {
      // The state is damaged. Hide the text, in case it is a secret.
      return true
    }
  }

  explain(accessorId: string, question: AccessQuestion): ExplainedToken | undefined {
    const { resource, name, access } = question
    return this.#ofToken(accessorId, (rights) => rights.explain(resource, name, access))
  }

  rulesOf(accessorId: string): TokenRules | undefined {
    return this.#ofToken(accessorId, ({ policies }) => ({ rules: effectiveRules(policies) }))
  }

  onChange(listener: () => void): () => void {
    // An object of its own: one listener may be added twice.
    const own = (): void => listener()
    this.#listeners.add(own)
    this.#follow()
    return () => this.#listeners.delete(own)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wait?.end()
    await this.#following
  }

  /** By hashes: the time that it takes says nothing of the secret. */
  #isRecovery(hash: string): boolean {
    const secret = given(this.#options.recoverySecret)
    return secret !== undefined && hashOfSecret(secret) === hash
  }

  /** Undefined: there is no such token, or it has expired. */
  #ofToken<Found extends object>(accessorId: string, ask: (rights: Authorizer) => Found) {
    const { state, clock } = this.#parts
    return state.read((reader) => {
      const token = reader.token(accessorId)
      if (token === undefined) return undefined
      const { description, expirationTimeMs } = token
      if (expirationTimeMs !== 0 && expirationTimeMs <= clock.wallMs()) return undefined
      const { rights } = this.#callerOf(token, reader)
      assert(rights instanceof Authorizer, 'the rights of a token are an authorizer')
      return { accessorId: token.accessorId, description, ...ask(rights) }
    })
  }

  /** Throws `acl-not-found`. */
  #find(secret: string): Known {
    if (secret.length > secretLengthMax) throw svcdError('acl-not-found', {})
    const hash = hashOfSecret(secret)
    if (this.#isRecovery(hash)) return { requester: this.#recovery, expiresMs: Infinity }
    return this.#parts.state.read((reader) => {
      const token = reader.tokenOfSecret(hash)
      if (token === undefined) throw svcdError('acl-not-found', {})
      const { accessorId, expirationTimeMs } = token
      const expiresMs = expirationTimeMs === 0 ? Infinity : expirationTimeMs
      return { requester: { caller: this.#callerOf(token, reader), accessorId }, expiresMs }
    })
  }

  #callerOf(token: AclToken, reader: AclReader): Caller {
    const sources = [...this.#sourcesOf(token, reader)]
    for (const id of token.roles) {
      const role = reader.role(id)
      if (role !== undefined) sources.push(...this.#sourcesOf(role, reader))
    }
    const textOf = (id: string): string => reader.policy(id)?.rules ?? ''
    return this.#callers.caller(sources, this.#options.defaultPolicy, textOf)
  }

  *#sourcesOf(grants: Grants, reader: AclReader): Generator<RuleSource, void> {
    for (const id of grants.policies) {
      const policy = reader.policyVersion(id)
      if (policy === undefined || !this.#isHere(policy.datacenters)) continue
      yield { kind: 'policy', id, name: policy.name, modifyIndex: policy.modifyIndex }
    }
    for (const { serviceName: name, datacenters } of grants.serviceIdentities) {
      if (this.#isHere(datacenters) && isIdentityName(name)) yield { kind: 'service', name }
    }
    for (const { nodeName: name, datacenter } of grants.nodeIdentities) {
      if (this.#isHere([datacenter]) && isIdentityName(name)) yield { kind: 'node', name }
    }
  }

  #isHere(datacenters: readonly string[]): boolean {
    const { datacenter } = this.#parts
    return datacenters.length === 0 || datacenters.some((each) => each.toLowerCase() === datacenter)
  }

  /** Waits for changes while there are listeners. */
  #follow(): void {
    const isNeeded = this.#options.isEnabled && this.#listeners.size > 0 && !this.#isStopped
    if (!isNeeded || this.#following !== undefined) return
    this.#following = this.#run().finally(() => {
      this.#following = undefined
    })
  }

  async #run(): Promise<void> {
    const { state, clock } = this.#parts
    while (!this.#isStopped && this.#options.isEnabled && this.#listeners.size > 0) {
      const since = state.version()
      const expiresMs = this.#nextExpirationMs()
      const leftMs = Math.max(0, Math.min(expiresMs - clock.wallMs(), waitMsMax))
      this.#wait = state.waitForChange(anySubject, since, leftMs)
      await this.#wait.ended
      this.#wait = undefined
      if (this.#isStopped) return
      if (state.version() !== since || expiresMs <= clock.wallMs()) this.#tell()
    }
  }

  #nextExpirationMs(): number {
    const { state, clock } = this.#parts
    try {
      return state.read((reader) => reader.nextExpirationMs(clock.wallMs())) ?? Infinity
    } catch {
      // The state is damaged. It is read again when a new one has arrived.
      return Infinity
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

function given(secret: string | undefined): string | undefined {
  return secret === '' ? undefined : secret
}

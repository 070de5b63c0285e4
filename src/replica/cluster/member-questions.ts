import type { Logger } from '../../base/log.ts'
import { members } from '../../raft/config.ts'
import type { NodeId } from '../../raft/entry.ts'
import { withPort } from '../../base/host-port.ts'
import { MemberSearch } from './member-search.ts'
import type { AskPeer } from './peer-questions.ts'
import type { RaftServer } from '../raft-server.ts'
import { RemovalNotice } from './removal-notice.ts'
import type { Membership } from './removal-notice.ts'
import type { ReplicaSettings } from '../messages.ts'
import { Vouching } from './vouching.ts'

export interface MemberQuestionsParts {
  readonly settings: Pick<ReplicaSettings, 'id' | 'retryJoin' | 'tls' | 'secret'>
  readonly raft: () => RaftServer | undefined
  readonly ask: AskPeer
  /** Another server says that a member can be dialled at `address`. */
  readonly toldAt: (id: NodeId, address: string, isProven: boolean) => void
  readonly logger: Logger
  readonly nowMs: () => number
}

const timeoutMs = 3000

/** What a server asks the other members of its cluster: where they are, and who is one. */
export class MemberQuestions {
  readonly #parts: MemberQuestionsParts
  readonly #notice: RemovalNotice
  readonly #search: MemberSearch
  readonly #vouching: Vouching

  constructor(parts: MemberQuestionsParts) {
    this.#parts = parts
    this.#notice = this.#makeNotice()
    this.#search = this.#makeSearch()
    this.#vouching = this.#makeVouching()
  }

  /** To be called a few times a second. */
  check(): void {
    this.#notice.check()
    if (this.#parts.raft() !== undefined) this.#search.check()
  }

  /** A Raft message of `id` was ignored. */
  met(id: NodeId): void {
    this.#vouching.met(id)
  }

  /** Every connection is proven, by a secret or certificates. */
  get #isAuthenticated(): boolean {
    const { tls, secret } = this.#parts.settings
    return (tls !== undefined && tls.isPermissive !== true) || secret?.isRequired === true
  }

  #hasLeader(): boolean {
    return this.#parts.raft()?.status.leader !== undefined
  }

  #others(): readonly NodeId[] {
    const { raft, settings } = this.#parts
    const config = raft()?.driver.raft.state.config
    return config === undefined ? [] : members(config).filter((id) => id !== settings.id)
  }

  #makeNotice(): RemovalNotice {
    const { settings, ask, raft, logger } = this.#parts
    return new RemovalNotice({
      self: settings.id,
      hasLeader: () => raft() === undefined || this.#hasLeader(),
      others: () => this.#others(),
      ask: (id) => ask<Membership>({ id }, 'membership', settings.id, timeoutMs),
      logger,
    })
  }

  #makeSearch(): MemberSearch {
    const { settings, ask, toldAt, nowMs } = this.#parts
    return new MemberSearch({
      hasLeader: () => this.#hasLeader(),
      others: () => this.#others(),
      retryJoin: settings.retryJoin.map((address) => withPort(address, 8300)),
      ask: (target) => ask(target, 'info', {}, timeoutMs),
      onPlace: (id, address) => toldAt(id, address, this.#isAuthenticated),
      nowMs,
    })
  }

  #makeVouching(): Vouching {
    const { ask, raft, logger, nowMs } = this.#parts
    return new Vouching({
      members: () => this.#others(),
      ask: (whom, about) => ask<Membership>({ id: whom }, 'membership', about, timeoutMs),
      isAuthenticated: this.#isAuthenticated,
      onVouched: (id) => {
        logger.info({ peer: id }, `learned of a new member: ${id}`)
        raft()?.driver.raft.vouch(id)
      },
      logger,
      nowMs,
    })
  }
}

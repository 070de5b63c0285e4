import { randomUUID } from 'node:crypto'
import type { Logger } from '../base/log.ts'
import { reasonOf } from '../base/errors.ts'
import type { Reads } from '../ports/reads.ts'
import type { Writes } from '../ports/writes.ts'
import { globalManagementId } from '../state/acl/model.ts'
import type { AclReader } from '../state/acl/reader.ts'
import { hashOfSecret } from '../state/acl/secret-hash.ts'

export interface InitialTokenParts {
  readonly state: Pick<Reads<AclReader>, 'read'>
  readonly writes: Writes
  readonly wallMs: () => number
  readonly actor: string
  readonly logger: Logger
}

/** After a failure, for example because an older server is still in the cluster. */
const againMs = 5000

/**
 * Has the leader make the token of `acl.tokens.initial_management`, if there is none with that secret: when it begins
 * to lead, and when the option changes.
 */
export class InitialToken {
  readonly #parts: InitialTokenParts
  #secret: string | undefined
  #isLeader = false
  #nextTryMs = -Infinity

  constructor(parts: InitialTokenParts) {
    this.#parts = parts
  }

  /** Undefined: none, or access control is off. */
  setSecret(secret: string | undefined): void {
    if (secret === this.#secret) return
    this.#secret = secret
    if (this.#isLeader) void this.#ensure()
  }

  /** To be called often. */
  see(isLeader: boolean): void {
    if (isLeader && !this.#isLeader && this.#parts.wallMs() < this.#nextTryMs) return
    const begins = isLeader && !this.#isLeader
    this.#isLeader = isLeader
    if (begins) void this.#ensure()
  }

  /** To be called after each change of the tokens: a restore may have removed it. */
  check(): void {
    if (this.#isLeader) void this.#ensure()
  }

  async #ensure(): Promise<void> {
    const secret = this.#secret
    if (secret === undefined || secret === '') return
    const { state, writes, wallMs, actor, logger } = this.#parts
    const secretHash = hashOfSecret(secret)
    try {
      if (state.read((reader) => reader.tokenOfSecret(secretHash)) !== undefined) return
      const accessorId = randomUUID()
      const token = {
        description: 'Initial Management Token',
        policies: [globalManagementId],
        roles: [],
        serviceIdentities: [],
        nodeIdentities: [],
        isLocal: false,
        createTimeMs: wallMs(),
        expirationTimeMs: 0,
      }
      const outcome = await writes.propose(
        { kind: 'acl-bootstrap', accessorId, secretHash, token, resetIndex: 0, isInitial: true },
        { actor, cause: 'acl.tokens.initial_management' },
      )
      const isMade = outcome.ok && outcome.value === undefined
      if (isMade) logger.info({ accessorId }, 'created the token of acl.tokens.initial_management')
    } catch (error) {
      const fields = { reason: reasonOf(error) }
      logger.warn(fields, 'cannot create the token of acl.tokens.initial_management')
      this.#nextTryMs = wallMs() + againMs
      this.#isLeader = false
    }
  }
}

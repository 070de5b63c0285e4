import { svcdError } from '../../base/errors.ts'
import type { SvcdError } from '../../base/errors.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { Proposal } from '../../state/machine/command.ts'

export interface FormatGuardParts {
  /** Of this release. */
  readonly ownFormat: number
  /** The members that have reported an older format than `format`. */
  readonly below: (format: number) => readonly NodeId[]
  /** The first format whose servers know a command. */
  readonly since: (body: Proposal['body']) => number
  readonly nameOf: (id: NodeId) => string
}

/**
 * Keeps commands out of the log that a member does not know: a server cannot skip a committed entry, and
 * ends. A leader takes no command of a newer format while a member has reported an older one. A member
 * that has not reported yet does not count: writes must not wait for a server that is down.
 */
export class FormatGuard {
  readonly #parts: FormatGuardParts

  constructor(parts: FormatGuardParts) {
    this.#parts = parts
  }

  /** Why a leader does not take a proposal (`release-too-old`). Reads it only while releases are mixed. */
  refusal(read: () => Proposal): SvcdError | undefined {
    const { ownFormat, below, since, nameOf } = this.#parts
    if (below(ownFormat).length === 0) return undefined
    const { body } = read()
    const format = since(body)
    const servers = below(format)
    if (servers.length === 0) return undefined
    const names = servers.map((id) => nameOf(id)).join(', ')
    return svcdError('release-too-old', { kind: body.kind, format, servers: names })
  }
}

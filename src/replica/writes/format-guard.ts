import { svcdError } from '../../base/errors.ts'
import type { SvcdError } from '../../base/errors.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { Proposal } from '../../state/machine/command.ts'

export interface FormatGuardParts {
  /** Of this release. */
  readonly ownFormat: number
  /** The newest format of a command in the log, as far as this server has applied it. */
  readonly usedFormat: () => number
  /** The members that have not reported a format of at least `format`. */
  readonly below: (format: number) => readonly NodeId[]
  /** The first format whose servers know a command. */
  readonly since: (body: Proposal['body']) => number
  readonly nameOf: (id: NodeId) => string
}

/**
 * Keeps commands out of the log that a member does not know: a server cannot skip a committed entry, and
 * ends. A leader takes a command of a newer format once every member has reported that format.
 *
 * From then on it takes them always. Otherwise a new leader, which has not heard a failed member yet, would
 * refuse what the leader before it has taken.
 */
export class FormatGuard {
  readonly #parts: FormatGuardParts

  constructor(parts: FormatGuardParts) {
    this.#parts = parts
  }

  /** Why a leader does not take a proposal (`release-too-old`). Reads it only while releases are mixed. */
  refusal(read: () => Proposal): SvcdError | undefined {
    const { ownFormat, usedFormat, below, since, nameOf } = this.#parts
    if (usedFormat() >= ownFormat || below(ownFormat).length === 0) return undefined
    const { body } = read()
    const format = since(body)
    if (usedFormat() >= format) return undefined
    const servers = below(format)
    if (servers.length === 0) return undefined
    const names = servers.map((id) => nameOf(id)).join(', ')
    return svcdError('release-too-old', { kind: body.kind, format, servers: names })
  }
}

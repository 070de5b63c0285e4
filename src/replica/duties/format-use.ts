import { members } from '../../raft/config.ts'
import type { Status } from '../../raft/status.ts'
import type { Duty, OwnCommand } from './duty.ts'
import type { MemberFormats } from './member-formats.ts'

export interface FormatUseParts {
  /** Of this server's state. */
  readonly format: number
  /** The newest format that the log has taken into use, as far as this server has applied it. */
  readonly usedFormat: () => number
  readonly propose: (command: OwnCommand, cause: string) => void
}

/** A proposal that is not applied by then was refused, or got lost. */
const againMs = 5000

/**
 * Takes the newest format of the state into use when every member has reported it: commands mean from
 * there on what they mean in that format. See `state/machine/used-format.ts`.
 */
export class FormatUse implements Duty {
  readonly #parts: FormatUseParts & { readonly formats: Pick<MemberFormats, 'missing'> }
  #proposedMs = -Infinity

  constructor(parts: FormatUseParts & { readonly formats: Pick<MemberFormats, 'missing'> }) {
    this.#parts = parts
  }

  check({ id: self, config }: Status, nowMs: number): void {
    const { format, usedFormat, formats, propose } = this.#parts
    if (usedFormat() >= format || nowMs - this.#proposedMs < againMs) return
    const others = members(config).filter((id) => id !== self)
    if (formats.missing(format, others).length > 0) return
    this.#proposedMs = nowMs
    propose({ kind: 'use-format', format }, `every server has state format ${format}`)
  }

  ended(): void {
    this.#proposedMs = -Infinity
  }
}

import { svcdError, type SvcdError } from '../base/errors.ts'
import { optionRow, type OptionName } from './options.ts'
import type { Parsed } from './values.ts'

/** A value and, for messages, who gave it. */
export interface Given {
  readonly value: unknown
  readonly from: string
}

/** What the sources of a configuration contain, and all that is wrong with it. */
export class Collected {
  readonly given = new Map<OptionName, Given>()
  /** What Consul's keys say that are no options here. */
  readonly consul = new Map<string, Given>()
  readonly problems: SvcdError[] = []
  /** One line each, of what is taken but not done as asked. */
  readonly notices: string[] = []
  readonly #failed = new Set<OptionName>()

  take(name: OptionName, parsed: Parsed, from: string): void {
    const row = optionRow(name)
    if ('reason' in parsed) {
      const isSecret = row.isSecret === true
      const reason = isSecret ? 'the value is not a string or a list of strings' : parsed.reason
      return this.refuse(from, reason, name)
    }
    const check = 'check' in row ? (row.check as (value: unknown) => string | undefined) : undefined
    const reason = check?.(parsed.value)
    if (reason !== undefined) this.refuse(from, reason, name)
    else this.given.set(name, { value: parsed.value, from })
  }

  /** `name`: the option that has no good value now. */
  refuse(option: string, reason: string, name?: OptionName): void {
    this.problems.push(svcdError('invalid-option', { option, reason }))
    if (name !== undefined) this.#failed.add(name)
  }

  notice(option: string, reason: string): void {
    this.notices.push(`option ${option}: ${reason}`)
  }

  /** Whether nothing can be said about this option: what was given for it is refused already. */
  hasFailed(name: OptionName): boolean {
    return this.#failed.has(name)
  }

  /** Who gave an option, as they wrote it. */
  from(name: OptionName): string {
    return this.given.get(name)?.from ?? `-${optionRow(name).flag}`
  }
}

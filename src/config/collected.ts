import { svcdError, type SvcdError } from '../base/errors.ts'
import { optionRow, type OptionName } from './options.ts'
import type { Parsed } from './values.ts'

/** A value and, for messages, its source. */
export interface Given {
  readonly value: unknown
  readonly from: string
}

/** What the sources of a configuration contain, and all that is wrong with it. */
export class Collected {
  readonly given = new Map<OptionName, Given>()
  /** The values of Consul's keys that are not options of svcd. */
  readonly consul = new Map<string, Given>()
  readonly problems: SvcdError[] = []
  /** One line for each setting that is accepted but not used. */
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

  /** `name`: the option that has no valid value now. */
  refuse(option: string, reason: string, name?: OptionName): void {
    this.problems.push(svcdError('invalid-option', { option, reason }))
    if (name !== undefined) this.#failed.add(name)
  }

  notice(option: string, reason: string): void {
    this.notices.push(`option ${option}: ${reason}`)
  }

  /** Whether the value of this option was refused, so that nothing more is known about it. */
  hasFailed(name: OptionName): boolean {
    return this.#failed.has(name)
  }

  /** The source of an option, as the user wrote it. */
  from(name: OptionName): string {
    return this.given.get(name)?.from ?? `-${optionRow(name).flag}`
  }
}

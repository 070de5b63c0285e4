import { aclOptions } from './acl-options.ts'
import { agentOptions } from './agent-options.ts'
import { auditOptions } from './audit-options.ts'
import { checkOptions } from './check-options.ts'
import { dnsOptions } from './dns-options.ts'
import { dnsProtectionOptions } from './dns-protection-options.ts'
import { dnsTlsOptions } from './dns-tls-options.ts'
import { httpsOptions } from './https-options.ts'
import { limitOptions } from './limit-options.ts'
import { networkOptions } from './network-options.ts'
import { queryLogOptions } from './query-log-options.ts'
import { recursionOptions } from './recursion-options.ts'
import { transferOptions } from './transfer-options.ts'
import type { OptionRow } from './option-row.ts'
import { uiOptions } from './ui-options.ts'

/**
 * Every option of an agent, by its place in {@link Config}. Flags, environment variables, config
 * file keys, `svcd agent --help`, docs/config.md and the type `Config` are all made from this table.
 */
export const options = {
  ...agentOptions,
  ...checkOptions,
  ...networkOptions,
  ...httpsOptions,
  ...uiOptions,
  ...dnsOptions,
  ...dnsTlsOptions,
  ...dnsProtectionOptions,
  ...recursionOptions,
  ...queryLogOptions,
  ...transferOptions,
  ...aclOptions,
  ...limitOptions,
  ...auditOptions,
  logLevel: {
    kind: 'choice',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    flag: 'log-level',
    file: 'log_level',
    group: 'Logging',
    description:
      'The least severe level to log. trace means debug; err and warning are accepted, too.',
    placeholder: 'level',
    example: 'debug',
  },
  logJson: {
    kind: 'boolean',
    default: false,
    flag: 'log-json',
    file: 'log_json',
    group: 'Logging',
    description: 'Log one JSON object per line.',
  },
} as const satisfies Record<string, OptionRow>

export type OptionName = keyof typeof options

interface Kinds {
  boolean: boolean
  string: string
  strings: readonly string[]
  integer: number
  seconds: number
  'seconds-by-name': Readonly<Record<string, number>>
  'texts-by-name': Readonly<Record<string, string>>
}

type ValueOf<R extends OptionRow> = R extends { choices: readonly (infer C)[] }
  ? C
  : R['kind'] extends keyof Kinds
    ? Kinds[R['kind']]
    : never

/** The value of every option under its flat name; undefined only for options without a default. */
export type OptionValues = {
  readonly [N in OptionName]:
    | ValueOf<(typeof options)[N]>
    | ((typeof options)[N]['default'] extends undefined ? undefined : never)
}

type Head<N extends string> = N extends `${infer H}.${string}` ? H : N
type Tree<T> = {
  readonly [H in Head<keyof T & string>]: H extends keyof T
    ? T[H]
    : Tree<{ [N in keyof T & string as N extends `${H}.${infer Rest}` ? Rest : never]: T[N] }>
}

/** The checked, frozen configuration of one agent; `ports.dns` is `config.ports.dns`. */
export type Config = Omit<
  Tree<OptionValues>,
  'nodeName' | 'bootstrapExpect' | 'httpAddresses' | 'httpsAddresses' | 'dnsAddresses'
> & {
  readonly nodeName: string
  readonly bootstrapExpect: number
  readonly httpAddresses: readonly string[]
  readonly httpsAddresses: readonly string[]
  readonly dnsAddresses: readonly string[]
}

export const optionNames = Object.keys(options) as OptionName[]

/** The row of an option, as the general type. */
export function optionRow(name: OptionName): OptionRow {
  return options[name]
}

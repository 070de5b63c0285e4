import type { RightsEntry, RightsRule } from '../../client/acl-rows.ts'
import { visibleText } from './text.ts'
import { agoText } from './time-text.ts'

// What pages about tokens, policies and roles say. Pure.

export const anonymousId = '00000000-0000-0000-0000-000000000002'
export const globalManagementId = '00000000-0000-0000-0000-000000000001'

/** Built in, and left out of the list of the API, as in Consul. */
export const globalReadOnly = {
  ID: '00000000-0000-0000-0000-000000000002',
  Name: 'builtin/global-read-only',
  Description: 'Builtin Policy that grants unlimited read-only access to all components',
  CreateIndex: 1,
  ModifyIndex: 1,
} as const

/** What a policy that every cluster has is for; undefined for others. */
export function builtInNote(id: string): string | undefined {
  if (id === globalManagementId)
    return 'Every cluster has this policy, and it cannot be changed. It allows everything, also to change tokens and policies. Give it to people only, for a limited time.'
  if (id === globalReadOnly.ID)
    return 'Every cluster has this policy, and it cannot be changed. It allows reading everything except tokens and policies. It suits monitoring.'
  return undefined
}

export const anonymousNote =
  'Every request without a token has the rights of this token, so anyone who reaches the agent can use them. Give it only what everybody may do. It cannot be deleted.'

/** When a token ends: `in 3 h`, `never`. */
export function expiryText(time: string | undefined, nowMs: number): string {
  if (time === undefined) return 'never'
  const leftMs = Date.parse(time) - nowMs
  return leftMs <= 0 ? 'expired' : `in ${agoText(Math.max(1000, leftMs))}`
}

/** What resources are called, in the order of the tables. svcd uses no others. */
export const kinds = [
  ['service', 'Services'],
  ['node', 'Nodes'],
  ['key', 'Keys'],
  ['session', 'Sessions of nodes'],
  ['query', 'Prepared queries'],
  ['event', 'Events'],
  ['intention', 'Intentions'],
  ['agent', 'Agents'],
  ['operator', 'Cluster operation'],
  ['acl', 'Tokens and policies'],
] as const

/** Resources without names. */
export const unnamed: ReadonlySet<string> = new Set(['operator', 'acl'])

/** What a level lets do, in words. */
export function levelText(level: string): string {
  return { deny: 'nothing', read: 'read', list: 'read, list', write: 'read, write' }[level] ?? level
}

export interface KindRights {
  readonly resource: string
  readonly title: string
  /** What counts where no narrower rule does. */
  readonly level: string
  /** The rule for all names; undefined: the default policy decides. */
  readonly rule: RightsRule | undefined
  /** Rules for some names, by name. */
  readonly exceptions: readonly RightsRule[]
}

/** The rights of a token by kind of resource. */
export function rightsByKind({ Rules, DefaultPolicy }: RightsEntry): readonly KindRights[] {
  return kinds.map(([resource, title]) => {
    const rules = Rules.filter(({ Resource }) => Resource === resource)
    const rule = rules.find(({ Prefix, Name }) => Prefix && Name === '')
    const byDefault = DefaultPolicy === 'allow' && resource !== 'acl' ? 'write' : 'deny'
    const exceptions = rules
      .filter((each) => each !== rule)
      .toSorted((a, b) => (a.Name < b.Name ? -1 : Number(a.Name > b.Name)))
    return { resource, title, level: rule?.Level ?? byDefault, rule, exceptions }
  })
}

/** Where a rule stands: `shop, line 8`. The number stays on the line of its word. */
export function ruleText({ Policy, Line }: Pick<RightsRule, 'Policy' | 'Line'>): string {
  return `${visibleText(Policy)}, line\u00a0${Line}`
}

export interface RulesFault {
  readonly line: number
  readonly column: number
  readonly reason: string
}

/** Where a policy is wrong, from the text of the agent; undefined: it says something else. */
export function rulesFault(text: string): RulesFault | undefined {
  const [, line = '', column = '', reason = ''] =
    /^Failed to parse ACL rules: At (\d+):(\d+): (.*)$/s.exec(text) ?? []
  if (line === '') return undefined
  return { line: Number(line), column: Number(column), reason }
}

/** Where a line and a column are in a text; both begin at 1. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n')
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0)
  return Math.min(text.length, before + Math.max(0, column - 1))
}

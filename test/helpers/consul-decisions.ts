import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Authorizer } from '../../src/access/rules/authorizer.ts'
import type { DefaultPolicy } from '../../src/access/rules/authorizer.ts'
import { policyFrom } from '../../src/access/rules/policy.ts'
import type { RuleCase } from './access-rules.ts'

/** What a real Consul decided in generated cases. */
export interface ConsulDecisions {
  readonly consul: string
  readonly cases: readonly DecidedCase[]
}

export interface DecidedCase {
  readonly seed: number
  /** Of the texts and the questions: other cases would say nothing. */
  readonly hash: string
  /** The answers as bits, in hexadecimal, with this default policy. */
  readonly deny: string
  readonly allow: string
}

export const decisionsFile = new URL('../access/rules/consul-decisions.json', import.meta.url)

export function storedDecisions(): ConsulDecisions {
  return JSON.parse(readFileSync(decisionsFile, 'utf8')) as ConsulDecisions
}

export function hashOf({ policies, asks }: RuleCase): string {
  const text = JSON.stringify([policies.map(({ text }) => text), asks])
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** What svcd decides in the case. */
export function decisionsOf({ policies, asks }: RuleCase, defaultPolicy: DefaultPolicy): string {
  const read = policies.map(({ text }, at) => policyFrom(`p${at}`, text))
  const authorizer = new Authorizer(read, defaultPolicy)
  return asBits(asks.map(({ resource, name, access }) => authorizer.allows(resource, name, access)))
}

export function asBits(answers: readonly boolean[]): string {
  const bits = answers.map((is) => (is ? '1' : '0')).join('')
  return bits.replaceAll(/.{1,4}/g, (four) => Number.parseInt(four, 2).toString(16))
}

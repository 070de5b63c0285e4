import { must } from '../../base/assert.ts'
import { ruleWords } from './words.ts'

/** A policy that every cluster has, and that nobody can change. */
export interface BuiltInPolicy {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly rules: string
}

/** In Consul's order. */
const words = [
  'acl',
  'agent_prefix',
  'event_prefix',
  'key_prefix',
  'keyring',
  'node_prefix',
  'operator',
  'mesh',
  'peering',
  'query_prefix',
  'service_prefix',
  'session_prefix',
]

/** Consul's policies, with its IDs. */
export const globalManagement: BuiltInPolicy = {
  id: '00000000-0000-0000-0000-000000000001',
  name: 'global-management',
  description: 'Builtin Policy that grants unlimited access',
  rules: rulesForAll('write'),
}

export const globalReadOnly: BuiltInPolicy = {
  id: '00000000-0000-0000-0000-000000000002',
  name: 'builtin/global-read-only',
  description: 'Builtin Policy that grants unlimited read-only access to all components',
  rules: rulesForAll('read'),
}

function rulesForAll(level: 'read' | 'write'): string {
  const rules = words.map((word) => {
    if (!must(ruleWords.get(word)).hasNames) return `\n${word} = "${level}"`
    const more = word === 'service_prefix' ? `\n\tintentions = "${level}"` : ''
    return `\n${word} "" {\n\tpolicy = "${level}"${more}\n}`
  })
  return rules.join('')
}

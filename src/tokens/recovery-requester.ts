import type { Requester } from '../access/requester.ts'
import { Authorizer } from '../access/rules/authorizer.ts'

/** Who sends the recovery secret of an agent: as in Consul, it may change this agent and read all nodes. */
export function recoveryRequester(nodeName: string): Requester {
  const name = 'agent recovery'
  const rules = [
    { resource: 'agent', isPrefix: false, name: nodeName, level: 'write', line: 1 },
    { resource: 'node', isPrefix: true, name: '', level: 'read', line: 2 },
  ] as const
  const caller = Object.freeze({ name, rights: new Authorizer([{ name, rules }], 'deny') })
  // It has no token, so this is not the ID of one.
  return Object.freeze({ caller, accessorId: 'agent-recovery' })
}

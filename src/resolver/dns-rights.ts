import { anonymous } from '../access/caller.ts'
import type { Caller } from '../access/caller.ts'
import { everything } from '../access/rights.ts'
import type { Rights } from '../access/rights.ts'
import { Authorizer } from '../access/rules/authorizer.ts'
import type { DefaultPolicy } from '../access/rules/authorizer.ts'
import type { Policy } from '../access/rules/policy.ts'

/** What DNS may show, in a form that can be sent to another thread. Undefined: everything. */
export type DnsRights =
  { readonly policies: readonly Policy[]; readonly defaultPolicy: DefaultPolicy } | undefined

/** Rights that are not those of policies cannot be sent, and become none at all. */
export function dnsRightsOf(rights: Rights): DnsRights {
  if (rights === everything) return undefined
  if (!(rights instanceof Authorizer)) return { policies: [], defaultPolicy: 'deny' }
  const { policies, defaultPolicy } = rights
  return { policies, defaultPolicy }
}

/** The caller whose answers DNS gives to everybody. */
export function dnsCaller(rights: DnsRights): Caller {
  if (rights === undefined) return anonymous
  return { name: 'dns', rights: new Authorizer(rights.policies, rights.defaultPolicy) }
}

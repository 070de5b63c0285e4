import { Authorizer } from './authorizer.ts'
import type { Explanation } from './authorizer.ts'
import { policyFrom } from './policy.ts'
import { scalarResources } from './resource.ts'
import type { Access, Level, NamedResource, Resource, ScalarResource } from './resource.ts'
import { printRule } from './rule.ts'

/** The rule of one name that allows an access, in the rule language: what a denial lacks. */
export function neededRule(resource: Resource, name: string, access: Access): string {
  const isPrefix = access === 'write-prefix'
  const level = levelFor(resource, access)
  const line = 1
  if (resource === 'intention') {
    // Rules of services decide about intentions; `*` is all services.
    const rule = { resource: 'service', level: 'read', intentions: level, line } as const
    return printRule({ ...rule, ...(name === '*' ? everyName : { isPrefix, name }) })
  }
  if (isScalar(resource)) return printRule({ resource, ...everyName, level, line })
  return printRule({ resource, isPrefix, name, level, line })
}

interface Question {
  readonly resource: Resource
  readonly name: string
  readonly access: Access
}

/**
 * The rule that allows what was denied, if it is added to a policy of the token. Undefined: it is allowed already, or
 * the rule that denied it must change, because it counts more than any other one.
 */
export function missingRule(
  { isAllowed, by }: Pick<Explanation, 'isAllowed' | 'by'>,
  { resource, name, access }: Question,
): string | undefined {
  if (isAllowed) return undefined
  const rule = neededRule(resource, name, access)
  const texts = by === undefined ? [rule] : [by.rule, rule]
  const both = texts.map((text) => policyFrom('', text))
  return new Authorizer(both, 'deny').allows(resource, name, access) ? rule : undefined
}

const everyName = { isPrefix: true, name: '' } as const

function levelFor(resource: Resource, access: Access): Level {
  if (access === 'write' || access === 'write-prefix') return 'write'
  return access === 'list' && resource === 'key' ? 'list' : 'read'
}

function isScalar(resource: NamedResource | ScalarResource): resource is ScalarResource {
  return (scalarResources as readonly string[]).includes(resource)
}

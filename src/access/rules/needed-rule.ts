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

const everyName = { isPrefix: true, name: '' } as const

function levelFor(resource: Resource, access: Access): Level {
  if (access === 'write' || access === 'write-prefix') return 'write'
  return access === 'list' && resource === 'key' ? 'list' : 'read'
}

function isScalar(resource: NamedResource | ScalarResource): resource is ScalarResource {
  return (scalarResources as readonly string[]).includes(resource)
}

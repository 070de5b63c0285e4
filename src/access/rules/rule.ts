import { scalarResources } from './resource.ts'
import type { Level, NamedResource, ScalarResource } from './resource.ts'

/** One rule of a policy. */
export interface Rule {
  readonly resource: NamedResource | ScalarResource
  /** Whether it is about all names that begin with `name`. Always true for a resource without names. */
  readonly isPrefix: boolean
  readonly name: string
  readonly level: Level
  /** What a rule of a service says about the intentions to it; undefined: it follows from the level. */
  readonly intentions?: Level
  /** Its line in the text of its policy, from 1. */
  readonly line: number
}

/** The rule in the rule language, on one line. */
export function printRule({ resource, isPrefix, name, level, intentions }: Rule): string {
  if (isScalar(resource)) return `${resource} = "${level}"`
  const word = isPrefix ? `${resource}_prefix` : resource
  const more = intentions === undefined ? '' : ` intentions = "${intentions}"`
  return `${word} ${quoted(name)} { policy = "${level}"${more} }`
}

function isScalar(resource: Rule['resource']): resource is ScalarResource {
  return (scalarResources as readonly string[]).includes(resource)
}

/** JSON's escapes are also HCL's. In HCL, nothing inside of `${…}` is an escape, so `$` becomes one. */
function quoted(name: string): string {
  return JSON.stringify(name).replaceAll('${', '\\x24{')
}

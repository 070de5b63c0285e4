import { namedResources, scalarResources } from '../access/rules/resource.ts'
import type { Access, Resource } from '../access/rules/resource.ts'
import { svcdError } from '../base/errors.ts'
import type { AccessQuestion } from '../ports/explanations.ts'

const accesses: readonly Access[] = ['read', 'list', 'write', 'write-prefix']
const resources: readonly Resource[] = [...namedResources, 'intention', ...scalarResources]

/** What a client asks about, in its words. Throws `acl-question-invalid`. */
export function accessQuestion(resource: string, access: string, name: string): AccessQuestion {
  const known = wordOf('resource', resource, resources)
  const isNamed = !(scalarResources as readonly string[]).includes(known)
  return {
    resource: known,
    access: wordOf('access', access, accesses),
    name: isNamed ? name : '',
  }
}

function wordOf<Word extends string>(what: string, given: string, known: readonly Word[]): Word {
  const word = known.find((each) => each === given)
  if (word !== undefined) return word
  throw svcdError('acl-question-invalid', {
    what,
    given: JSON.stringify(given),
    known: known.join(', '),
  })
}

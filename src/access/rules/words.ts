import { didYouMean } from '../../base/nearest.ts'
import { namedResources, scalarResources } from './resource.ts'
import type { Level, NamedResource, ScalarResource } from './resource.ts'
import { quotedWord } from './source.ts'

/** What a word at the beginning of a rule means. */
export type RuleWord =
  | { readonly hasNames: true; readonly resource: NamedResource; readonly isPrefix: boolean }
  | { readonly hasNames: false; readonly resource: ScalarResource }

export const ruleWords: ReadonlyMap<string, RuleWord> = new Map([
  ...namedResources.flatMap((resource): [string, RuleWord][] => [
    [resource, { hasNames: true, resource, isPrefix: false }],
    [`${resource}_prefix`, { hasNames: true, resource, isPrefix: true }],
  ]),
  ...scalarResources.map((resource): [string, RuleWord] => [
    resource,
    { hasNames: false, resource },
  ]),
])

/** Words of Consul that mean nothing here. */
const foreignWords: Readonly<Record<string, string>> = {
  namespace: 'svcd has no namespaces',
  namespace_prefix: 'svcd has no namespaces',
  partition: 'svcd has no admin partitions',
  partition_prefix: 'svcd has no admin partitions',
  identity: 'svcd has no workload identities',
  identity_prefix: 'svcd has no workload identities',
  sentinel: 'svcd does not run Sentinel code',
}

/** Nobody means a known word with a longer one. */
const suggestedLength = 32

/** The fault of a word that is none of `known`: the nearest of them, or all. */
export function unknownWord(word: string, known: readonly string[], where: string): string {
  const foreign = foreignWords[word.toLowerCase()]
  if (foreign !== undefined) return `Unknown word ${quotedWord(word)}: ${foreign}`
  const near = word.length > suggestedLength ? '' : didYouMean(word, known)
  const next = near === '' ? ` ${where}: ${known.join(', ')}` : near
  return `Unknown word ${quotedWord(word)}.${next}`
}

const levels = ['read', 'write', 'deny'] as const
const keyLevels = ['read', 'list', 'write', 'deny'] as const

/** A level, in any case; a text with the fault if it is none of this resource. */
export function levelOf(word: string, resource: string): Level | { readonly fault: string } {
  const known: readonly Level[] = resource === 'key' ? keyLevels : levels
  const level = known.find((each) => each === word.toLowerCase())
  if (level !== undefined) return level
  if (word.toLowerCase() === 'list') {
    return { fault: 'The level "list" is only for key and key_prefix' }
  }
  const near = word.length > suggestedLength ? '' : didYouMean(word, known)
  const next = near === '' ? ` Use one of: ${known.join(', ')}` : near
  return { fault: `Unknown level ${quotedWord(word)}.${next}` }
}

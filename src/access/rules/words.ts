import { didYouMean } from '../../base/nearest.ts'
import { namedResources, scalarResources } from './resource.ts'
import type { NamedResource, ScalarResource } from './resource.ts'
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
const foreignWords: ReadonlyMap<string, string> = new Map(
  Object.entries({
    namespace: 'svcd has no namespaces',
    namespace_prefix: 'svcd has no namespaces',
    partition: 'svcd has no admin partitions',
    partition_prefix: 'svcd has no admin partitions',
    identity: 'svcd has no workload identities',
    identity_prefix: 'svcd has no workload identities',
    sentinel: 'svcd does not run Sentinel code',
  }),
)

/** A longer word is not a mistyped one of ours. */
export const suggestedLength = 32

/** The fault of a word that is none of `known`: the nearest of them, or all. */
export function unknownWord(word: string, known: readonly string[], where: string): string {
  const foreign = foreignWords.get(word.toLowerCase())
  if (foreign !== undefined) return `Unknown word ${quotedWord(word)}: ${foreign}`
  const near = word.length > suggestedLength ? '' : didYouMean(word, known)
  const next = near === '' ? ` ${where}: ${known.join(', ')}` : near
  return `Unknown word ${quotedWord(word)}.${next}`
}

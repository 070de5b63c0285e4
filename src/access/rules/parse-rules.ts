import { svcdError } from '../../base/errors.ts'
import { HclReader } from './hcl-reader.ts'
import type { Item, Value, Word } from './item.ts'
import { JsonReader } from './json-reader.ts'
import { namedRules } from './named-rules.ts'
import type { ScalarResource } from './resource.ts'
import type { Rule } from './rule.ts'
import { Source } from './source.ts'
import { levelOf, ruleWords, unknownWord } from './words.ts'

/** The size of the text of a policy. */
export const rulesBytesMax = 1024 * 1024

/**
 * Reads the rules of a policy, in HCL or, if the text begins with `{`, in JSON. Throws `acl-rules-invalid`
 * with the line and column of the first fault, or `acl-rules-too-large`. An unknown word or level is a fault: a
 * mistyped rule must not grant or deny less than it seems to.
 */
export function parseRules(text: string): readonly Rule[] {
  const size = Buffer.byteLength(text)
  if (size > rulesBytesMax) throw svcdError('acl-rules-too-large', { size, max: rulesBytesMax })
  const source = new Source(text.replace(/^\uFEFF/, ' ').replaceAll('\r\n', '\n'))
  const refused = source.text.search(/[\0\p{Surrogate}]/u)
  if (refused >= 0) source.fail(refused, 'This character cannot stand in rules')
  const isJson = source.text.trimStart().startsWith('{')
  return [...new RulesParser(source).rules(isJson)]
}

class RulesParser {
  readonly #source: Source
  /** Resources without names that have a rule. */
  readonly #seen = new Map<ScalarResource, number>()

  constructor(source: Source) {
    this.#source = source
  }

  *rules(isJson: boolean): Generator<Rule> {
    const reader = isJson ? new JsonReader(this.#source) : new HclReader(this.#source)
    for (const item of reader.items()) yield* this.#rulesOf(item)
  }

  #rulesOf(item: Item): Iterable<Rule> {
    const [word] = item.keys
    const meaning = ruleWords.get(word.text.toLowerCase())
    if (meaning === undefined) {
      return this.#source.fail(
        word.at,
        unknownWord(word.text, [...ruleWords.keys()], 'Rules begin with'),
      )
    }
    if (meaning.hasNames) return namedRules(this.#source, meaning, item)
    return this.#scalarRule(meaning.resource, word, item)
  }

  #scalarRule(resource: ScalarResource, word: Word, { keys, value }: Item): readonly Rule[] {
    const text = scalarText(value)
    if (keys.length > 1 || text === undefined) {
      this.#source.fail(word.at, `${resource} has no name. Write: ${resource} = "read"`)
    }
    const before = this.#seen.get(resource)
    const line = this.#source.lineOf(word.at)
    if (before !== undefined) {
      this.#source.fail(word.at, `${resource} has already a rule, in line ${before}`)
    }
    this.#seen.set(resource, line)
    if (text === '') return []
    const level = levelOf(text, resource)
    if (typeof level === 'object') this.#source.fail(value.at, level.fault)
    return [{ resource, isPrefix: true, name: '', level, line }]
  }
}

/** Empty for JSON's null, which is no rule. Undefined if this is not a text. */
function scalarText(value: Value): string | undefined {
  if (value.kind === 'other') return value.text === 'null' ? '' : undefined
  return value.kind === 'text' ? value.text : undefined
}

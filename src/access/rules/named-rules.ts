import type { Item, Value, Word } from './item.ts'
import type { Level } from './resource.ts'
import type { Rule } from './rule.ts'
import type { Source } from './source.ts'
import { levelOf, unknownWord } from './words.ts'
import type { RuleWord } from './words.ts'

type Named = Extract<RuleWord, { hasNames: true }>

/**
 * The rules of a word whose rules have names: `key "a" { … }`, or `key = { "a" = { … } }` as JSON has it. A list
 * of blocks stands for its blocks, as converters from HCL to JSON write them.
 */
export function* namedRules(source: Source, word: Named, { keys, value }: Item): Generator<Rule> {
  const [first, name, ...more] = keys
  const block = new BlockReader(source, word)
  if (more[0] !== undefined) source.fail(more[0].at, 'A rule has one name')
  if (name !== undefined) yield* block.rules(name, value)
  else {
    for (const names of objectsIn(value) ?? block.refuse(first)) {
      for (const item of names) yield* block.ruleOf(first, item)
    }
  }
}

/** The objects of an object or of a list of objects; undefined for other values. */
function objectsIn(value: Value): readonly (readonly Item[])[] | undefined {
  if (value.kind === 'object') return [value.items]
  if (value.kind !== 'list') return undefined
  const objects = value.values.map((each) => (each.kind === 'object' ? each.items : undefined))
  return objects.every((each) => each !== undefined) ? objects : undefined
}

class BlockReader {
  readonly #source: Source
  readonly #word: Named
  readonly #written: string
  readonly #fields: readonly string[]

  constructor(source: Source, word: Named) {
    this.#source = source
    this.#word = word
    this.#written = word.isPrefix ? `${word.resource}_prefix` : word.resource
    this.#fields = word.resource === 'service' ? ['policy', 'intentions'] : ['policy']
  }

  /** A name and its block, inside of the object of the word. */
  ruleOf(word: Word, { keys, value }: Item): Iterable<Rule> {
    const [name, more] = keys
    if (more !== undefined) this.#source.fail(more.at, 'A rule has one name')
    // Without a name: `key { policy = "read" }`.
    return objectsIn(value) === undefined ? this.refuse(word) : this.rules(name, value)
  }

  *rules(name: Word, value: Value): Generator<Rule> {
    const blocks = objectsIn(value)
    if (blocks === undefined || blocks.length === 0) this.refuse(name)
    for (const items of blocks) yield this.#rule(name, items)
  }

  refuse(word: Word): never {
    return this.#source.fail(
      word.at,
      `A rule of ${this.#written} has a name and a block: ${this.#written} "name" { policy = "read" }`,
    )
  }

  #rule(name: Word, items: readonly Item[]): Rule {
    const { resource, isPrefix } = this.#word
    const levels = new Map<string, Level | undefined>()
    for (const item of items) this.#field(item, levels)
    const level = levels.get('policy')
    if (level === undefined) {
      this.#source.fail(
        name.at,
        `The rule has no level. Write: ${this.#written} … { policy = "read" }`,
      )
    }
    const intentions = levels.get('intentions')
    const line = this.#source.lineOf(name.at)
    const rule = { resource, isPrefix, name: name.text, level, line }
    return intentions === undefined ? rule : { ...rule, intentions }
  }

  #field({ keys, value }: Item, levels: Map<string, Level | undefined>): void {
    const [word, label] = keys
    const field = word.text.toLowerCase()
    if (!this.#fields.includes(field)) this.#refuseField(word, field)
    if (levels.has(field)) this.#source.fail(word.at, `${field} is given twice in this rule`)
    if (label !== undefined) this.#source.fail(label.at, `Write: ${field} = "read"`)
    levels.set(field, this.#level(field, value))
  }

  #refuseField(word: Word, field: string): never {
    if (field === 'intentions') {
      this.#source.fail(word.at, 'Only rules of service and service_prefix have intentions')
    }
    const where = `A rule of ${this.#written} has`
    return this.#source.fail(word.at, unknownWord(word.text, this.#fields, where))
  }

  /** Undefined for "" and null: as if the field were not there. */
  #level(field: string, value: Value): Level | undefined {
    if (value.kind === 'other' && value.text === 'null') return undefined
    if (value.kind !== 'text') {
      this.#source.fail(value.at, `Write the level as a text in quotes: ${field} = "read"`)
    }
    if (value.text === '') return undefined
    if (value.isHeredoc) {
      this.#source.fail(value.at, `A heredoc ends with a line break. Write: ${field} = "read"`)
    }
    const level = levelOf(value.text, this.#word.resource)
    if (typeof level === 'object') this.#source.fail(value.at, level.fault)
    return level
  }
}

import type { Decision, Decisions } from './merge.ts'
import { grants } from './resource.ts'
import type { Access } from './resource.ts'

type Plain = Exclude<Access, 'write-prefix'>

interface Prefix {
  readonly name: string
  readonly decision: Decision
  /** The next shorter prefix that covers this one. */
  readonly shorter: Prefix | undefined
}

/**
 * Finds the rule that decides about a name: the one of exactly this name, otherwise the one of the longest prefix.
 * The prefixes are sorted, so a search takes a few comparisons for any number of rules.
 */
export class DecisionTable {
  readonly #exact: ReadonlyMap<string, Decision>
  readonly #prefixes: readonly Prefix[]
  readonly #all: readonly Decision[]
  /** All rules, sorted by their names. */
  readonly #sorted: readonly NamedDecision[]
  /** The rules that do not let write, in the same order. */
  readonly #notWritten: readonly NamedDecision[]
  /** The rule for all names. */
  readonly #catchAll: Decision | undefined
  readonly #answers = new Map<string, Decision | undefined>()

  constructor({ exact, prefix }: Decisions) {
    this.#exact = exact
    this.#prefixes = nested(prefix)
    this.#all = [...prefix.values(), ...exact.values()]
    this.#sorted = [...prefix, ...exact]
      .map(([name, decision]) => ({ name, decision }))
      .toSorted(byName)
    this.#notWritten = this.#sorted.filter(({ decision: { level } }) => level !== 'write')
    this.#catchAll = prefix.get('')
  }

  /** The decision about a name; undefined if no rule covers it. */
  of(name: string): Decision | undefined {
    return this.#exact.get(name) ?? this.#ofPrefix(name)
  }

  /**
   * The decision about writing all names that begin with `prefix`. A rule below it that does not let write decides,
   * even if nothing has its name.
   */
  ofPrefixWrite(prefix: string): Decision | undefined {
    const covering = this.#ofPrefix(prefix)
    if (covering !== undefined && covering.level !== 'write') return covering
    const below = this.#notWritten[firstNotBefore(this.#notWritten, prefix)]
    return below?.name.startsWith(prefix) === true ? below.decision : covering
  }

  /** The decision about all names together: a rule that denies the access for one of them denies it. */
  ofAll(access: Plain): Decision | undefined {
    return this.#once(
      `all ${access}`,
      () => this.#all.find(({ level }) => !grants(level, access)) ?? this.#catchAll,
    )
  }

  /** The decision whether there can be a name for which the access is allowed. */
  ofSome(access: Plain): Decision | undefined {
    return this.#once(
      `some ${access}`,
      () => this.#all.find(({ level }) => grants(level, access)) ?? this.#catchAll,
    )
  }

  /** The decision whether there can be a name that begins with `prefix` for which the access is allowed. */
  ofSomeBelow(prefix: string, access: Plain): Decision | undefined {
    // Names that no narrower rule is about go by the prefix that covers them.
    const covering = this.#ofPrefix(prefix)
    if (covering !== undefined && grants(covering.level, access)) return covering
    for (let at = firstNotBefore(this.#sorted, prefix); ; at++) {
      const below = this.#sorted[at]
      if (below?.name.startsWith(prefix) !== true) return covering
      if (grants(below.decision.level, access)) return below.decision
    }
  }

  #once(question: string, answer: () => Decision | undefined): Decision | undefined {
    if (!this.#answers.has(question)) this.#answers.set(question, answer())
    return this.#answers.get(question)
  }

  /**
   * Every prefix of a name sorts before it or is equal, and what sorts between the two begins with that prefix. So the
   * longest prefix is the last of the sorted prefixes that does not sort after the name, or a prefix of that one.
   */
  #ofPrefix(name: string): Decision | undefined {
    const at = firstBehind(this.#prefixes, name)
    let prefix = this.#prefixes[at - 1]
    if (prefix === undefined) return undefined
    const common = commonLength(prefix.name, name)
    while (prefix !== undefined && prefix.name.length > common) prefix = prefix.shorter
    return prefix?.decision
  }
}

function nested(prefixes: ReadonlyMap<string, Decision>): readonly Prefix[] {
  const sorted = [...prefixes].map(([name, decision]) => ({ name, decision })).toSorted(byName)
  const result: Prefix[] = []
  for (const { name, decision } of sorted) {
    let shorter = result.at(-1)
    while (shorter !== undefined && !name.startsWith(shorter.name)) shorter = shorter.shorter
    result.push({ name, decision, shorter })
  }
  return result
}

interface Named {
  readonly name: string
}

interface NamedDecision extends Named {
  readonly decision: Decision
}

function byName(a: Named, b: Named): number {
  if (a.name === b.name) return 0
  return a.name < b.name ? -1 : 1
}

/** The first place whose name sorts behind `name`. */
function firstBehind(sorted: readonly Named[], name: string): number {
  return firstPlace(sorted, (each) => each > name)
}

function firstNotBefore(sorted: readonly Named[], name: string): number {
  return firstPlace(sorted, (each) => each >= name)
}

function firstPlace(sorted: readonly Named[], isReached: (name: string) => boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isReached(sorted[middle]?.name ?? '')) high = middle
    else low = middle + 1
  }
  return low
}

function commonLength(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  let at = 0
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at
}

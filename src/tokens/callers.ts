import type { Caller } from '../access/caller.ts'
import { Authorizer } from '../access/rules/authorizer.ts'
import type { DefaultPolicy } from '../access/rules/authorizer.ts'
import type { Logger } from '../base/log.ts'
import { keyOfSource, nameOf, PolicyTexts } from './policy-texts.ts'
import type { RuleSource } from './policy-texts.ts'

/** Callers that are kept even if no request uses them at the moment. */
const keptMax = 1024
const nameLengthMax = 200

/**
 * Callers by their rules. There is at most one caller in use for the same rules, because callers are
 * the keys of caches.
 */
export class Callers {
  readonly #texts: PolicyTexts
  readonly #byRules = new Map<string, WeakRef<Caller>>()
  readonly #kept = new Map<string, Caller>()
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (this.#byRules.get(key)?.deref() === undefined) this.#byRules.delete(key)
  })

  constructor(logger: Logger) {
    this.#texts = new PolicyTexts(logger)
  }

  /** `textOf` gives the stored text of a policy. */
  caller(
    sources: readonly RuleSource[],
    defaultPolicy: DefaultPolicy,
    textOf: (id: string) => string,
  ): Caller {
    const byKey = new Map(sources.map((source) => [keyOfSource(source), source]))
    const keys = [...byKey.keys()].toSorted()
    const key = [defaultPolicy, ...keys].join('\n')
    const caller = this.#byRules.get(key)?.deref() ?? this.#make(key, byKey, defaultPolicy, textOf)
    this.#keep(key, caller)
    return caller
  }

  #make(
    key: string,
    sources: ReadonlyMap<string, RuleSource>,
    defaultPolicy: DefaultPolicy,
    textOf: (id: string) => string,
  ): Caller {
    const all = [...sources.values()]
    const policies = all.map((source) => this.#texts.policy(source, textOf))
    const names = all.map(nameOf).join(', ').slice(0, nameLengthMax)
    const name = names === '' ? 'without policies' : names
    const caller = Object.freeze({ name, rights: new Authorizer(policies, defaultPolicy) })
    this.#byRules.set(key, new WeakRef(caller))
    this.#gone.register(caller, key)
    return caller
  }

  #keep(key: string, caller: Caller): void {
    this.#kept.delete(key)
    this.#kept.set(key, caller)
    if (this.#kept.size <= keptMax) return
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest)
      return
    }
  }
}

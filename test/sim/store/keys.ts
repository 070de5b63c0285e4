import { must } from '../../../src/base/assert.ts'
import { randomBelow } from '../../../src/base/random.ts'
import type { Random } from '../../../src/base/random.ts'

const freePrefixes = ['a/', 'b/', 'a'] as const
const prefixes = [...freePrefixes, '', 'lock/'] as const

/** The keys of a run. What nobody waits for is written elsewhere. */
export class Keys {
  readonly #free: readonly string[]
  readonly #locks: readonly string[]
  readonly all: readonly string[]

  constructor(count: number) {
    this.#free = Array.from({ length: 2 * count }, (_, at) => `${at % 2 === 0 ? 'a' : 'b'}/k${at}`)
    this.#locks = Array.from({ length: count }, (_, at) => `lock/k${at}`)
    this.all = [...this.#free, ...this.#locks]
  }

  anyOfAll(random: Random): string {
    return pick(this.all, random)
  }

  /** One that nobody locks. */
  anyFree(random: Random): string {
    return pick(this.#free, random)
  }

  anyLock(random: Random): string {
    return pick(this.#locks, random)
  }

  anyPrefix(random: Random): string {
    return pick(prefixes, random)
  }

  anyFreePrefix(random: Random): string {
    return pick(freePrefixes, random)
  }

  below(prefix: string): readonly string[] {
    return this.all.filter((key) => key.startsWith(prefix))
  }

  get locks(): readonly string[] {
    return this.#locks
  }
}

function pick(keys: readonly string[], random: Random): string {
  return must(keys[randomBelow(random, keys.length)])
}

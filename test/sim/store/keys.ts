import { must } from '../../../src/base/assert.ts'
import { randomBelow } from '../../../src/base/random.ts'
import type { Random } from '../../../src/base/random.ts'

/** The keys of a run, in two trees. What nobody waits for is written elsewhere. */
export class Keys {
  readonly all: readonly string[]
  readonly #prefixes = ['a/', 'b/', 'a', '']

  constructor(count: number) {
    this.all = Array.from({ length: count }, (_, at) => `${at % 2 === 0 ? 'a' : 'b'}/k${at}`)
  }

  any(random: Random): string {
    return must(this.all[randomBelow(random, this.all.length)])
  }

  anyPrefix(random: Random): string {
    return must(this.#prefixes[randomBelow(random, this.#prefixes.length)])
  }

  below(prefix: string): readonly string[] {
    return this.all.filter((key) => key.startsWith(prefix))
  }
}

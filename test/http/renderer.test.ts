import t from 'tap'
import { anonymous } from '../../src/access/caller.ts'
import type { FamilyReads } from '../../src/ports/reads.ts'
import { Renderer } from '../../src/http/renderer.ts'
import type { Indexed, Question } from '../../src/http/renderer.ts'
import { must } from '../../src/base/assert.ts'

/** A family of the state whose rows are one number, which is its index, too. */
class Family implements FamilyReads<Indexed> {
  index = 5
  #version = 0

  change(): void {
    this.index++
    this.#version++
  }

  read<T>(query: (reader: Indexed) => T): T {
    return query({ indexOf: () => this.index, appliedIndex: () => this.index })
  }

  async readSliced<T>(steps: (reader: Indexed) => Generator<void, T>): Promise<T> {
    const running = this.read(steps)
    for (;;) {
      const step = running.next()
      if (step.done === true) return step.value
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  version(): number {
    return this.#version
  }

  unchanged(): () => boolean {
    return () => false
  }

  waitForChange(): never {
    throw new Error('nothing waits here')
  }
}

function questionOf(state: Family, rows = 1) {
  const made = { count: 0 }
  const question: Question<Indexed> = {
    state,
    subject: 'all',
    answer: (reader) => {
      made.count++
      return { kind: 'list', rows: Array.from({ length: rows }, () => ({ i: reader.indexOf('') })) }
    },
  }
  return { made, question }
}

const asking = (question: Question<Indexed>) => ({
  caller: anonymous,
  key: '/same/key',
  pretty: false,
  question,
})

t.test('a change of one family leaves the rendered answers of the others', async (t) => {
  const renderer = new Renderer()
  const [catalog, keys] = [new Family(), new Family()]
  const [a, b] = [questionOf(catalog), questionOf(keys)]
  const ask = async () => {
    const answers = [
      await renderer.of(asking(a.question))(catalog.version(), 0),
      await renderer.of(asking(b.question))(keys.version(), 0),
    ]
    return answers.map((answer) => must(answer).body.toString())
  }
  await ask()
  t.strictSame([a.made.count, b.made.count], [1, 1], 'one key of two families is two answers')
  for (let n = 0; n < 3; n++) {
    keys.change()
    await ask()
  }
  t.strictSame([a.made.count, b.made.count], [1, 4])
  catalog.change()
  t.strictSame(await ask(), ['[{"i":6}]', '[{"i":8}]'])
  t.strictSame([a.made.count, b.made.count], [2, 4])
  t.strictSame(renderer.counts, { hits: 4, misses: 6 })
})

t.test('a long answer is kept unless its own family has changed meanwhile', async (t) => {
  const renderer = new Renderer()
  const [catalog, keys] = [new Family(), new Family()]
  const { made, question } = questionOf(catalog, 300)
  const ask = () => renderer.of(asking(question))(catalog.version(), 0)
  const first = ask()
  keys.change()
  await first
  const count = made.count
  await ask()
  t.equal(made.count, count, 'it was kept')
  catalog.change()
  const second = ask()
  catalog.change()
  await second
  await ask()
  t.ok(made.count > count + 2, 'what was read before a change is not kept')
})

t.test('a question may have an index of its own', async (t) => {
  const renderer = new Renderer()
  const state = new Family()
  const { question } = questionOf(state)
  const render = renderer.of(asking({ ...question, index: () => 3 }))
  t.equal(must(await render(0, 2)).index, 3)
  t.equal(render(0, 3), undefined, 'it waits for a newer one')
  t.equal(must(await renderer.of(asking({ ...question, index: () => 0 }))(0, 0)).index, 1)
})

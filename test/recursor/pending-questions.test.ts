import fc from 'fast-check'
import t from 'tap'
import { PendingQuestions } from '../../src/recursor/pending-questions.ts'
import type { OutsideQuestion } from '../../src/recursor/outside-question.ts'

/** Few enough that they meet, with flags that alone make a difference. */
const questions = Array.from({ length: 40 }, (_, n): OutsideQuestion => {
  return { octets: Buffer.from(`${'x'.repeat(n % 3)}${n >> 1}`), flags: n & 1 }
})

const step = fc.record({
  n: fc.nat(questions.length - 1),
  kind: fc.constantFrom('add' as const, 'delete' as const, 'get' as const),
})

t.test('it has what was added last and not deleted since', async (t) => {
  const result = fc.check(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const pending = new PendingQuestions<number>(42)
      const model = new Map<number, number>()
      for (const [at, { n, kind }] of steps.entries()) {
        // An equal question is another object each time.
        const question = { ...questions[n] } as OutsideQuestion
        if (kind === 'add' && !model.has(n)) {
          pending.add(question, at)
          model.set(n, at)
        } else if (kind === 'delete') {
          pending.delete(question)
          model.delete(n)
        }
        if (pending.get(question) !== model.get(n) || pending.size !== model.size) return false
      }
      const values = [...pending.values()].toSorted((a, b) => a - b)
      const wanted = [...model.values()].toSorted((a, b) => a - b)
      pending.clear()
      return JSON.stringify(values) === JSON.stringify(wanted) && pending.size === 0
    }),
  )
  t.notOk(result.failed, fc.defaultReportMessage(result) ?? 'holds')
})

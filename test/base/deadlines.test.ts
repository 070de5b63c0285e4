import fc from 'fast-check'
import t from 'tap'
import { Deadlines } from '../../src/base/deadlines.ts'

t.test('a deadline is due when its time is over, and only once', async (t) => {
  const deadlines = new Deadlines<string>(5000)
  deadlines.set('a', 600, 5000)
  deadlines.set('b', 300, 5000)
  t.strictSame(deadlines.due(5300), [])
  t.strictSame(deadlines.due(5301), ['b'])
  t.notOk(deadlines.has('b'))
  t.notOk(deadlines.renew('b', 5301), 'it is too late to renew it')
  t.strictSame(deadlines.due(5900), ['a'])
  t.strictSame(deadlines.due(6000), [])
  t.equal(deadlines.size, 0)
})

t.test('those that are due together come in the order of their times', async (t) => {
  const deadlines = new Deadlines<number>(0)
  for (const ms of [900, 30, 899, 31, 32]) deadlines.set(ms, ms, 0)
  t.strictSame(deadlines.due(1000), [30, 31, 32, 899, 900])
})

t.test('a renewal grants the whole time, a removal ends it', async (t) => {
  const deadlines = new Deadlines<string>(0)
  deadlines.set('a', 1000, 0)
  deadlines.set('b', 1000, 0)
  deadlines.due(900)
  t.ok(deadlines.renew('a', 950))
  deadlines.remove('b')
  deadlines.remove('never there')
  t.strictSame(deadlines.due(1900), [])
  t.strictSame(deadlines.due(1950), [])
  t.strictSame(deadlines.due(1951), ['a'])
})

t.test('a stall pushes every deadline by the time that was missed', async (t) => {
  const deadlines = new Deadlines<string>(0, { gapMsMax: 1000 })
  deadlines.set('a', 3000, 0)
  deadlines.set('b', 9000, 0)
  t.strictSame(deadlines.due(1000), [])
  // Of 100 s, one counts.
  t.strictSame(deadlines.due(101_000), [])
  t.strictSame(deadlines.due(102_000), [])
  t.strictSame(deadlines.due(102_001), ['a'])
  for (let ms = 103_000; ms <= 108_000; ms += 1000) t.strictSame(deadlines.due(ms), [])
  t.strictSame(deadlines.due(108_001), ['b'])
})

t.test('a new leader grants the whole time and an election timeout, once', async (t) => {
  const deadlines = new Deadlines<string>(7000)
  deadlines.set('a', 300, 7000, 500)
  deadlines.set('b', 300, 7000, 500)
  t.strictSame(deadlines.due(7750), [])
  deadlines.renew('b', 7750)
  t.strictSame(deadlines.due(7801), ['a'])
  t.strictSame(deadlines.due(8050), [])
  t.strictSame(deadlines.due(8051), ['b'])
})

t.test('a deadline may lie many turns of the wheel ahead', async (t) => {
  const deadlines = new Deadlines<string>(0, { slots: 4, slotMs: 100 })
  deadlines.set('day', 86_400_000, 0)
  let nowMs = 0
  for (; nowMs < 86_400_000; nowMs += 1000) if (deadlines.due(nowMs).length > 0) break
  t.equal(nowMs, 86_400_000)
  t.strictSame(deadlines.due(nowMs), [])
  t.strictSame(deadlines.due(nowMs + 1), ['day'])
})

type Step =
  | { readonly do: 'set'; readonly key: number; readonly ms: number; readonly extraMs: number }
  | { readonly do: 'renew'; readonly key: number }
  | { readonly do: 'remove'; readonly key: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'look'; readonly ms: number }

/** The same with a list that is looked through, and a sum of what was missed. */
class Model {
  readonly #gapMsMax: number
  readonly #all = new Map<number, { ms: number; dueMs: number; order: number }>()
  #missedMs = 0
  #seenMs = 0
  #order = 0

  constructor(gapMsMax: number) {
    this.#gapMsMax = gapMsMax
  }

  get size(): number {
    return this.#all.size
  }

  #clock(nowMs: number): number {
    return nowMs - this.#missedMs - Math.max(0, nowMs - this.#seenMs - this.#gapMsMax)
  }

  set(key: number, ms: number, nowMs: number, extraMs: number): void {
    this.#all.delete(key)
    this.#all.set(key, { ms, dueMs: this.#clock(nowMs) + ms + extraMs, order: this.#order++ })
  }

  renew(key: number, nowMs: number): boolean {
    const found = this.#all.get(key)
    if (found !== undefined) found.dueMs = Math.max(found.dueMs, this.#clock(nowMs) + found.ms)
    return found !== undefined
  }

  remove(key: number): void {
    this.#all.delete(key)
  }

  due(nowMs: number): ReadonlySet<number> {
    const clock = this.#clock(nowMs)
    this.#missedMs = nowMs - clock
    this.#seenMs = nowMs
    const due = [...this.#all].filter(([, { dueMs }]) => dueMs < clock)
    for (const [key] of due) this.#all.delete(key)
    return new Set(due.map(([key]) => key))
  }
}

const key = fc.integer({ min: 0, max: 5 })
const passing = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 400 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 30_000 }) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('set' as const),
    key,
    ms: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 50_000 })),
    extraMs: fc.constantFrom(0, 0, 500),
  }),
  fc.record({ do: fc.constant('remove' as const), key }),
  fc.record({ do: fc.constant('renew' as const), key }),
  fc.record({ do: fc.constant('renew' as const), key }),
  fc.record({ do: fc.constant('wait' as const), ms: passing }),
  fc.record({ do: fc.constant('look' as const), ms: passing }),
  fc.record({ do: fc.constant('look' as const), ms: passing }),
)

t.test('the wheel says what a list that is looked through says', async (t) => {
  let ended = 0
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200, size: 'max' }),
      fc.integer({ min: 2, max: 20 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 2000 }),
      (steps, slots, slotMs, gapMsMax) => {
        const wheel = new Deadlines<number>(0, { slots, slotMs, gapMsMax })
        const model = new Model(gapMsMax)
        let nowMs = 0
        for (const one of steps) {
          if (one.do === 'set') {
            wheel.set(one.key, one.ms, nowMs, one.extraMs)
            model.set(one.key, one.ms, nowMs, one.extraMs)
          } else if (one.do === 'renew') {
            if (wheel.renew(one.key, nowMs) !== model.renew(one.key, nowMs)) return false
          } else if (one.do === 'remove') {
            wheel.remove(one.key)
            model.remove(one.key)
          } else nowMs += one.ms
          if (one.do === 'look') {
            const due = wheel.due(nowMs)
            const expected = model.due(nowMs)
            ended += due.length
            if (due.length !== expected.size || !due.every((id) => expected.has(id))) return false
          }
          if (wheel.size !== model.size) return false
        }
        return true
      },
    ),
    { numRuns: 2000 },
  )
  t.ok(ended > 1000, `${ended} deadlines have passed`)
})

t.test('what remains of a deadline is told, never less than nothing', async (t) => {
  const deadlines = new Deadlines<string>(0)
  deadlines.set('a', 1000, 0, 500)
  t.equal(deadlines.remainingMs('a', 400), 1100)
  deadlines.due(900)
  t.equal(deadlines.remainingMs('a', 1000), 500)
  deadlines.renew('a', 1000)
  t.equal(deadlines.remainingMs('a', 1500), 500)
  t.equal(deadlines.remainingMs('b', 1500), undefined)
  deadlines.due(1900)
  t.equal(deadlines.remainingMs('a', 2900), 0, 'it is over, and not taken yet')
})

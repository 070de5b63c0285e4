import t from 'tap'
import fc from 'fast-check'
import { clipOutput, next, reapAtMs, startedCheck } from '../../src/health/check.ts'
import type { CheckResult, CheckRules, CheckState, CheckStatus } from '../../src/health/check.ts'
import type { Evidence } from '../../src/state/catalog/model.ts'

const plain: CheckRules = {
  successBeforePassing: 0,
  failuresBeforeWarning: 0,
  failuresBeforeCritical: 0,
  deregisterAfterMs: 0,
}
const letters: Readonly<Record<string, CheckStatus>> = {
  p: 'passing',
  w: 'warning',
  c: 'critical',
}
const probe = (status: CheckStatus, output = '', evidence: Evidence = 'proof'): CheckResult => ({
  kind: 'probe',
  status,
  evidence,
  output,
})
const report = (status: CheckStatus, output = ''): CheckResult => ({
  kind: 'report',
  status,
  output,
})
/** A check of which the catalog knows this. */
const known = (status: CheckStatus, output: string, awaitsFirst = false): CheckState =>
  startedCheck({ status, evidence: '', output }, 0, awaitsFirst)

/** Feeds results a second apart; returns the state after each, and what was proposed. */
function run(
  rules: CheckRules,
  results: readonly CheckResult[],
  from: CheckState = known('critical', ''),
): { states: CheckState[]; proposed: boolean[] } {
  const states: CheckState[] = []
  const proposed: boolean[] = []
  let state = from
  for (const [at, result] of results.entries()) {
    const step = next({ rules, state }, result, 1000 * (at + 1))
    state = step.state
    states.push(state)
    proposed.push(step.propose)
  }
  return { states, proposed }
}

// p, w, c: the result of each probe, and the status after it. A capital is a proposal.
const tables: readonly (readonly [string, Partial<CheckRules>, string, string])[] = [
  ['without thresholds every change counts', {}, 'pcpwwc', 'PCPWwC'],
  ['a critical check that stays critical proposes nothing', {}, 'ccc', 'ccc'],
  ['the first result counts whatever the threshold', { successBeforePassing: 3 }, 'pp', 'Pp'],
  ['a first failure counts too', { failuresBeforeCritical: 3 }, 'cppc', 'cPpp'],
  ['success needs its number in a row', { successBeforePassing: 3 }, 'cppcppp', 'ccccccP'],
  ['failure needs its number in a row', { failuresBeforeCritical: 3 }, 'pccpccc', 'PpppppC'],
  [
    'warning comes before critical',
    { failuresBeforeWarning: 2, failuresBeforeCritical: 4 },
    'pcccccp',
    'PpWwCcP',
  ],
  [
    'a warning result counts as a success',
    { successBeforePassing: 2, failuresBeforeCritical: 2 },
    'ccwww',
    'cccWw',
  ],
]

t.test('probe results move a check by its thresholds', async (t) => {
  for (const [claim, rules, results, expected] of tables) {
    const { states, proposed } = run(
      { ...plain, ...rules },
      Array.from(results, (letter) => probe(letters[letter] ?? 'passing')),
    )
    const seen = states.map(({ status }, at) =>
      proposed[at] === true ? status.charAt(0).toUpperCase() : status.charAt(0),
    )
    t.equal(seen.join(''), expected, claim)
  }
})

t.test('a result below its threshold leaves status and output as they were', async (t) => {
  const rules = { ...plain, failuresBeforeCritical: 2 }
  const { states } = run(rules, [probe('passing', 'fine'), probe('critical', 'bad')])
  t.match(states[1], { status: 'passing', output: 'fine' })
})

t.test('reports of a TTL check ignore thresholds', async (t) => {
  const rules = { ...plain, successBeforePassing: 5, failuresBeforeCritical: 5 }
  const { states, proposed } = run(rules, [
    report('critical'),
    report('passing'),
    report('critical'),
  ])
  t.strictSame(
    states.map(({ status }) => status),
    ['critical', 'passing', 'critical'],
  )
  t.strictSame(proposed, [false, true, true])
})

t.test('an expired TTL is critical and keeps the last output, once', async (t) => {
  const expiry: CheckResult = { kind: 'expired' }
  const { states, proposed } = run(plain, [report('passing', 'all good'), expiry, expiry])
  t.match(states[1], {
    status: 'critical',
    output: 'TTL expired (last output before timeout follows): all good',
  })
  t.equal(states[2]?.output, states[1]?.output)
  t.strictSame(proposed, [true, true, false])
  const silent = run(plain, [expiry], known('passing', ''))
  t.equal(silent.states[0]?.output, 'TTL expired')
})

t.test('the first result of a new check is told at once, whatever it is', async (t) => {
  const start = (status: CheckStatus): CheckState => known(status, '', true)
  const step = (state: CheckState, result: CheckResult) => next({ rules: plain, state }, result, 1)
  const refused = step(start('critical'), probe('critical', 'refused'))
  t.match(refused, { propose: true, isNews: true, state: { told: { output: 'refused' } } })
  const again = step(refused.state, probe('critical', 'refused, 2 ms later'))
  t.match(again, { propose: false, isNews: false }, 'and only the first')
  t.match(step(start('passing'), probe('passing', '200 OK')), { propose: true, isNews: true })
  t.match(step(start('critical'), report('critical', 'down')), { propose: true, isNews: true })
  t.match(step(start('critical'), { kind: 'expired' }), { propose: true, isNews: true })
  const refusedBefore = { status: 'critical', evidence: 'proof', output: '' } as const
  const silent = step(startedCheck(refusedBefore, 0, true), report('critical'))
  t.match(silent, { propose: false, isNews: true }, 'without a word there is nothing to store')
  const resumed = known('passing', '200 OK')
  t.match(step(resumed, probe('passing', '200 OK in 3 ms')), { propose: false, isNews: false })
})

t.test('ten thousand checks that keep passing tell nothing after their first result', async (t) => {
  let told = 0
  for (let n = 0; n < 10_000; n++) {
    let state = known('passing', '', true)
    for (let at = 1; at <= 5; at++) {
      const { state: after, propose } = next(
        { rules: plain, state },
        probe('passing', `200 OK, ${at} ms`),
        at * 1000,
      )
      state = after
      if (propose && at > 1) told++
    }
  }
  t.equal(told, 0)
})

t.test(
  'changed output without a transition is proposed after five minutes, not before',
  async (t) => {
    let state = known('passing', 'a')
    const at = (output: string, nowMs: number): boolean => {
      const step = next({ rules: plain, state }, probe('passing', output), nowMs)
      state = step.state
      return step.propose
    }
    t.equal(at('b', 299_999), false)
    t.equal(state.output, 'b', 'kept here at once')
    t.equal(state.told.output, 'a')
    t.equal(at('b', 300_000), true)
    t.equal(at('c', 300_001), false, 'and the five minutes start again')
    t.equal(at('b', 900_000), false, 'output that is back to what was told is no change')
  },
)

t.test('evidence says what a status rests on, and a passing check has none', async (t) => {
  const { states } = run(plain, [
    probe('critical', 'no answer', 'absence'),
    probe('critical', 'refused', 'proof'),
    probe('warning', '429', 'proof'),
    probe('passing', '200', 'proof'),
    report('warning', 'busy'),
    { kind: 'expired' },
    report('passing'),
    probe('critical', 'in maintenance', 'intent'),
  ])
  t.strictSame(
    states.map(({ evidence }) => evidence),
    ['absence', 'proof', 'proof', '', 'proof', 'absence', '', 'intent'],
  )
})

t.test('evidence changes with a status at once, and alone as output does', async (t) => {
  let state = known('passing', '')
  const at = (status: CheckStatus, evidence: Evidence, nowMs: number): boolean => {
    const step = next({ rules: plain, state }, probe(status, 'same', evidence), nowMs)
    state = step.state
    return step.propose
  }
  t.equal(at('critical', 'absence', 1000), true)
  t.match(state.told, { status: 'critical', evidence: 'absence' })
  t.equal(at('critical', 'proof', 2000), false)
  t.match(state, { evidence: 'proof', told: { evidence: 'absence' } }, 'kept here at once')
  t.equal(at('critical', 'proof', 301_000), true, 'told five minutes later')
  t.equal(state.told.evidence, 'proof')
  t.equal(at('critical', 'proof', 901_000), false, 'once')
})

t.test('a result below its threshold changes no evidence', async (t) => {
  const rules = { ...plain, failuresBeforeCritical: 2, successBeforePassing: 2 }
  const { states } = run(rules, [
    probe('critical', '', 'proof'),
    probe('passing'),
    probe('critical', '', 'absence'),
    probe('critical', '', 'absence'),
  ])
  t.strictSame(
    states.map(({ status, evidence }) => `${status} ${evidence}`),
    ['critical proof', 'critical proof', 'critical proof', 'critical absence'],
  )
})

t.test('a check is reaped when it stayed critical for long enough', async (t) => {
  const rules = { ...plain, deregisterAfterMs: 60_000 }
  const { states } = run(rules, [probe('critical'), probe('passing'), probe('critical')])
  t.strictSame(
    states.map((state) => reapAtMs(rules, state)),
    [60_000, undefined, 63_000],
    'counted from the start, and anew after it passed',
  )
  t.equal(reapAtMs(plain, known('critical', '')), undefined, 'never unless asked')
})

t.test('output is cut to 4 KiB between two characters', async (t) => {
  t.equal(clipOutput('a'.repeat(4096)).length, 4096)
  t.equal(clipOutput('a'.repeat(4097)).length, 4096)
  t.equal(clipOutput(`${'a'.repeat(4095)}é`), 'a'.repeat(4095))
  t.equal(clipOutput(`${'a'.repeat(4094)}é`), `${'a'.repeat(4094)}é`)
  t.equal(clipOutput(`${'a'.repeat(4094)}😀`), 'a'.repeat(4094))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 6000, size: 'max' }), (text) => {
      const clipped = clipOutput(text)
      return text.startsWith(clipped) && Buffer.byteLength(clipped) <= 4096
    }),
    { numRuns: 30 },
  )
})

t.test('what the catalog was told is always the last status', async (t) => {
  const status = fc.constantFrom<CheckStatus>('passing', 'warning', 'critical')
  const result = fc.oneof(
    status.map((status) => probe(status)),
    status.map((status) => report(status)),
    fc.constant<CheckResult>({ kind: 'expired' }),
  )
  const limit = fc.integer({ min: 0, max: 3 })
  const rules = fc.record({
    successBeforePassing: limit,
    failuresBeforeWarning: limit,
    failuresBeforeCritical: limit,
    deregisterAfterMs: fc.constant(0),
  })
  fc.assert(
    fc.property(rules, fc.array(result), (rules, results) => {
      const { states } = run(rules, results)
      return states.every((state) => state.told.status === state.status)
    }),
  )
  t.pass('held for every sample')
})

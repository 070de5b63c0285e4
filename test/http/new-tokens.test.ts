import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { NewTokens } from '../../src/http/new-tokens.ts'

/** A leader whose answers and whose time the test gives. */
class Rig {
  leaderAddress = '10.0.0.1:8300'
  isAlone = false
  readonly answers: ((isHeld: boolean) => void)[] = []
  readonly delays: { readonly ms: number; readonly end: () => void }[] = []
  readonly newTokens = new NewTokens(
    {
      leader: () => this.leaderAddress,
      isAlone: () => this.isAlone,
      outOfService: () => undefined,
      barrier: () =>
        new Promise((resolve, reject) => {
          this.answers.push((isHeld) => (isHeld ? resolve() : reject(new Error('no leader'))))
        }),
    },
    (ms) => new Promise((end) => this.delays.push({ ms, end })),
  )

  endDelay(ms: number): void {
    must(this.delays.findLast((delay) => delay.ms === ms)).end()
  }
}

t.test('requests that come while the leader is asked share the next question', async (t) => {
  const rig = new Rig()
  const { newTokens, answers } = rig
  const done: string[] = []
  const first = newTokens.known().then(() => done.push('first'))
  await turn()
  t.equal(answers.length, 1, 'the first is asked immediately')
  const later = Array.from({ length: 1000 }, () => newTokens.known())
  const all = Promise.all(later).then(() => done.push('later'))
  await turn()
  t.equal(answers.length, 1)
  must(answers[0])(true)
  await first
  await turn()
  t.equal(answers.length, 1, 'not before the pace allows it')
  must(rig.delays.find(({ ms }) => ms === 20)).end()
  await turn()
  t.equal(answers.length, 2, 'one question for a thousand requests')
  must(answers[1])(true)
  await all
  t.strictSame(done, ['first', 'later'])
})

t.test('a leader that refuses or is silent does not hold a request', async (t) => {
  const rig = new Rig()
  const refused = rig.newTokens.known()
  await turn()
  must(rig.answers[0])(false)
  await refused
  await turn()
  rig.endDelay(20)
  const silent = rig.newTokens.known()
  await turn()
  rig.endDelay(1000)
  await silent
  t.pass('both have ended')
})

t.test('without a leader, and on a server that is alone, there is nothing to wait for', (t) => {
  const rig = new Rig()
  t.equal(rig.newTokens.canWait, true)
  rig.leaderAddress = ''
  t.equal(rig.newTokens.canWait, false)
  rig.leaderAddress = '10.0.0.1:8300'
  rig.isAlone = true
  t.equal(rig.newTokens.canWait, false)
  t.end()
})

import t from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import { must } from '../../../src/base/assert.ts'
import type { Status } from '../../../src/raft/status.ts'
import type { OwnCommand } from '../../../src/replica/duties/duty.ts'
import { SessionDeadlines } from '../../../src/replica/duties/session-deadlines.ts'
import type { FamilyBody } from '../../../src/state/families.ts'
import { MemorySessions, sessionCreate } from '../../helpers/sessions.ts'

const electionMs = 1200
const stepMs = 250

/** One state, and the servers that lead one after the other. */
class World {
  readonly state = new MemorySessions()
  readonly causes: string[] = []
  nowMs = 50_000
  /** Proposals get lost. */
  isStuck = false
  #proposed: OwnCommand[] = []
  duty = this.#newDuty()

  get status(): Status {
    return { term: this.state.term, lastIndex: this.state.index } as unknown as Status
  }

  /** Another server is elected. `lostMs`: nobody led for so long. */
  elect(lostMs = 0): void {
    this.duty.ended()
    this.nowMs += lostMs
    this.state.term++
    this.duty = this.#newDuty()
    this.duty.started(this.status, this.nowMs)
  }

  lead(): void {
    this.duty.started(this.status, this.nowMs)
  }

  /** The time passes, with a check every 250 ms. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= stepMs) {
      this.nowMs += Math.min(stepMs, left)
      this.check()
    }
  }

  check(): void {
    this.duty.check(this.status, this.nowMs)
    this.applyProposed()
  }

  applyProposed(): void {
    const proposed = this.#proposed
    this.#proposed = []
    if (!this.isStuck) for (const body of proposed) this.state.applyAll(body as FamilyBody)
  }

  /** The time until `isTrue`, to one check. */
  until(isTrue: () => boolean): number {
    const sinceMs = this.nowMs
    while (!isTrue() && this.nowMs - sinceMs < 200_000) this.pass(stepMs)
    return this.nowMs - sinceMs
  }

  #newDuty(): SessionDeadlines {
    return new SessionDeadlines({
      sessions: this.state.sessions,
      electionMs,
      logger: silentLogger,
      nowMs: () => this.nowMs,
      status: () => this.status,
      propose: (command, cause) => {
        this.causes.push(cause)
        this.#proposed.push(command)
      },
    })
  }
}

const timed = (id: string, ttlMs: number) => sessionCreate(id, { ttl: `${ttlMs}ms`, ttlMs })

t.test(
  'a session ends when it was silent for its TTL, not before and not much later',
  async (t) => {
    const world = new World()
    world.lead()
    world.state.applyAll(timed('s', 10_000), timed('long', 60_000), sessionCreate('quiet'))
    world.state.acquire('a', 's')
    const ms = world.until(() => !world.state.sessions.has('s'))
    t.ok(ms > 10_000 && ms <= 10_500, `${ms} ms`)
    t.match(world.state.reader.entry('a'), { session: '' })
    t.strictSame(world.causes, ['session TTL expired'])
    world.pass(40_000)
    t.strictSame(world.state.ids, ['long', 'quiet'])
    world.pass(60_000)
    t.strictSame(world.state.ids, ['quiet'], 'without a TTL it does not end by silence')
  },
)

t.test(
  'a session with a lock-delay under 1 s ends after twice its TTL, also under a new leader',
  async (t) => {
    const rows = [
      [0, 20_000],
      [1e6, 20_000],
      [1e9 - 1, 20_000],
      [1e9, 10_000],
    ] as const
    for (const [lockDelayNs, lastsMs] of rows) {
      const world = new World()
      world.lead()
      world.state.apply(sessionCreate('s', { ttl: '10s', ttlMs: 10_000, lockDelayNs }))
      world.pass(5000)
      world.duty.renew(['s'])
      const ms = world.until(() => !world.state.sessions.has('s'))
      t.ok(ms > lastsMs && ms <= lastsMs + 500, `${lockDelayNs} ns: ${ms} ms`)
      world.state.apply(sessionCreate('t', { ttl: '10s', ttlMs: 10_000, lockDelayNs }))
      world.elect()
      world.duty.renew(['t'])
      const next = world.until(() => !world.state.sessions.has('t'))
      const leastMs = lastsMs + electionMs
      t.ok(next > leastMs && next <= leastMs + 500, `${lockDelayNs} ns, a new leader: ${next} ms`)
    }
  },
)

t.test('renewals keep a session, and write nothing', async (t) => {
  const world = new World()
  world.lead()
  world.state.apply(timed('s', 10_000))
  const { index } = world.state
  for (let count = 0; count < 20; count++) {
    world.pass(9500)
    t.match(world.duty.renew(['s', 'nobody']), [{ id: 's', ttlMs: 10_000 }, null])
  }
  t.equal(world.state.index, index, 'no entry of the log')
  const ms = world.until(() => !world.state.sessions.has('s'))
  t.ok(ms > 10_000 && ms <= 10_500, 'after the last one it has its TTL again')
  t.strictSame(world.duty.renew(['s']), [null])
})

t.test('a session that was just made is renewed before the leader has looked', async (t) => {
  const world = new World()
  world.lead()
  world.state.apply(timed('s', 10_000))
  t.match(world.duty.renew(['s']), [{ id: 's' }])
  const ms = world.until(() => !world.state.sessions.has('s'))
  t.ok(ms > 10_000 && ms <= 10_500)
})

t.test('times begin when sessions are made or end, not at the next check', async (t) => {
  const world = new World()
  world.lead()
  world.state.applyAll(timed('s', 10_000), sessionCreate('t', { lockDelayNs: 10e9 }))
  world.state.acquire('a', 't')
  world.state.apply({ kind: 'session-destroy', id: 't' })
  world.duty.changed()
  const ms = world.until(() => !world.state.sessions.has('s'))
  t.equal(ms, 10_250)
  t.equal(world.state.sessions.lockDelay('a'), undefined)
})

t.test('a new leader grants the whole TTL and the time of an election', async (t) => {
  const world = new World()
  world.lead()
  world.state.apply(timed('s', 10_000))
  world.pass(9900)
  world.elect(5000)
  world.state.apply(timed('new', 10_000))
  const ms = world.until(() => !world.state.sessions.has('new'))
  t.ok(ms <= 10_500, 'a session that was made under it has no more than its TTL')
  t.ok(world.state.sessions.has('s'))
  const rest = world.until(() => !world.state.sessions.has('s'))
  t.ok(ms + rest > 10_000 + electionMs && ms + rest <= 10_500 + electionMs)
})

t.test(
  'what a new leader applies of older entries has the time of an election as well',
  async (t) => {
    const world = new World()
    world.lead()
    world.state.apply(timed('s', 10_000))
    const ahead = { ...world.status, lastIndex: world.state.index + 1 }
    world.duty.ended()
    world.duty.started(ahead, world.nowMs)
    world.state.apply(timed('late', 10_000))
    world.pass(10_500)
    t.ok(world.state.sessions.has('late'))
  },
)

t.test('a leader that was stopped for a while pushes every deadline', async (t) => {
  const world = new World()
  world.lead()
  world.state.apply(timed('s', 10_000))
  world.pass(9000)
  world.nowMs += 60_000
  world.check()
  t.ok(world.state.sessions.has('s'))
  t.match(world.duty.renew(['s']), [{ id: 's' }])
  world.pass(9500)
  t.ok(world.state.sessions.has('s'))
})

t.test(
  'a proposal that got lost is repeated, and the session is not renewed any more',
  async (t) => {
    const world = new World()
    world.lead()
    world.state.apply(timed('s', 10_000))
    world.isStuck = true
    world.pass(11_000)
    t.equal(world.causes.length, 1)
    t.strictSame(world.duty.renew(['s']), [null], 'its holder must know that it has lost its locks')
    world.isStuck = false
    world.pass(5000)
    t.strictSame(world.state.ids, [])
    t.equal(world.causes.length, 2)
    world.pass(10_000)
    t.equal(world.causes.length, 2)
  },
)

t.test('a session of a leader that lost its term can be renewed at the next one', async (t) => {
  const world = new World()
  world.lead()
  world.state.apply(timed('s', 10_000))
  world.isStuck = true
  world.pass(11_000)
  world.elect()
  world.isStuck = false
  t.match(world.duty.renew(['s']), [{ id: 's' }])
  world.pass(9500)
  t.strictSame(world.state.ids, ['s'])
})

t.test('a leader that leads again at once forgets what it ended in its earlier term', async (t) => {
  const world = new World()
  world.lead()
  const { state, duty } = world
  state.applyAll(timed('s', 10_000), sessionCreate('t', { lockDelayNs: 5e9 }))
  state.acquire('a', 't')
  state.apply({ kind: 'session-destroy', id: 't' })
  world.pass(4000)
  world.isStuck = true
  world.pass(7000)
  t.strictSame(duty.renew(['s']), [null])
  // It was deposed and is elected again before its duties are checked.
  state.term++
  t.match(duty.renew(['s']), [{ id: 's' }], 'in this term nobody has ended it')
  t.equal(duty.lockDelayMs('a'), 5000)
  duty.ended()
  duty.started(world.status, world.nowMs)
  world.isStuck = false
  world.pass(9500)
  t.strictSame(state.ids, ['s'], 'it has its whole TTL')
})

t.test('a lock-delay lasts as long as it should, also when the leader changes', async (t) => {
  const world = new World()
  world.lead()
  const { state } = world
  state.applyAll(sessionCreate('s', { lockDelayNs: 5e9 }), sessionCreate('t'))
  state.acquire('a', 's')
  state.apply({ kind: 'session-destroy', id: 's' })
  t.equal(world.duty.lockDelayMs('a'), 5000)
  t.equal(world.duty.lockDelayMs('b'), 0)
  world.pass(4000)
  t.equal(world.duty.lockDelayMs('a'), 1000)
  t.equal(state.acquire('a', 't'), 'lock-delay')
  world.elect()
  t.equal(world.duty.lockDelayMs('a'), 5000 + electionMs)
  const ms = world.until(() => state.acquire('a', 't') === undefined)
  t.ok(ms > 5000 + electionMs && ms <= 5500 + electionMs, `${ms} ms`)
  t.equal(world.duty.lockDelayMs('a'), 0)
  t.equal(must(world.causes.at(-1)), 'lock-delay over')
})

t.test(
  'whoever is told that a lock-delay is over gets the lock, before the next check',
  async (t) => {
    const world = new World()
    world.lead()
    const { state } = world
    state.applyAll(sessionCreate('s', { lockDelayNs: 1e6 }), sessionCreate('t'))
    state.acquire('a', 's')
    state.apply({ kind: 'session-destroy', id: 's' })
    world.duty.changed()
    t.equal(world.duty.lockDelayMs('a'), 1)
    t.strictSame(world.causes, [])
    world.nowMs++
    t.equal(world.duty.lockDelayMs('a'), 0)
    t.equal(world.duty.lockDelayMs('a'), 0)
    t.strictSame(world.causes, ['lock-delay over'], 'its end is proposed once')
    world.applyProposed()
    t.equal(state.acquire('a', 't'), undefined)
    world.pass(1000)
    t.strictSame(world.causes, ['lock-delay over'])
  },
)

t.test('a key that is lost again while its lock-delay ends has the new one', async (t) => {
  const world = new World()
  world.lead()
  const { state } = world
  state.applyAll(sessionCreate('s', { lockDelayNs: 1e9 }), sessionCreate('t', { lockDelayNs: 9e9 }))
  state.acquire('a', 's')
  state.apply({ kind: 'session-destroy', id: 's' })
  world.until(() => state.acquire('a', 't') === undefined)
  state.apply({ kind: 'session-destroy', id: 't' })
  world.pass(8500)
  t.match(state.sessions.lockDelay('a'), { delayNs: 9e9 })
  world.pass(1000)
  t.equal(state.sessions.lockDelay('a'), undefined)
})

t.test(
  'a thousand sessions end in few entries, and cost nothing while they are renewed',
  async (t) => {
    const world = new World()
    world.lead()
    const ids = Array.from({ length: 1000 }, (_, at) => `s${at}`)
    world.state.applyAll(...ids.map((id) => timed(id, 10_000)))
    world.pass(5000)
    const { index } = world.state
    world.duty.renew(ids)
    world.pass(9500)
    t.equal(world.state.index, index)
    world.pass(2000)
    t.strictSame(world.state.ids, [])
    t.ok(world.state.index - index <= 4)
  },
)

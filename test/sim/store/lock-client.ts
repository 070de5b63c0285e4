import { must } from '../../../src/base/assert.ts'
import { randomBelow } from '../../../src/base/random.ts'
import type { Outcome } from '../../../src/state/machine/command.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import type { SessionCreateCommand } from '../../../src/state/session/commands.ts'
import type { WorkloadClient } from '../workload.ts'
import { Attempts, reading, renewing, writing } from './attempts.ts'
import type { Attempt, Renewal, StoreWorld } from './attempts.ts'
import { proposal } from './client.ts'
import type { StoreShared } from './client.ts'
import type { ReadRequest, Request, WriteRequest } from './history.ts'
import type { Hold, SessionUse } from './holds.ts'
import { sessionCheck, sessionNode } from './machine.ts'

/** How long its sessions last without a renewal. */
const silencesMs = [500, 1000, 2000] as const
const delaysMs = [0, 300, 1000] as const
export const silenceMsMax = 2000
export const delayMsMax = 1000

/**
 * A program with a session: it renews it, locks keys, holds each for a while and gives it up again, by a release, by
 * ending its session, or by falling silent. It believes itself the holder until its session may end. With hardly
 * a lock-delay this is after twice the TTL.
 */
export class LockClient implements WorkloadClient {
  readonly #world: StoreWorld
  readonly #shared: StoreShared
  readonly #id: number
  #hold: Hold | undefined
  isWaiting = false

  constructor(world: StoreWorld, shared: StoreShared, id: number) {
    this.#world = world
    this.#shared = shared
    this.#id = id
  }

  begin(): void {
    const { random, nowMs } = this.#world
    if (random() < 0.06) return this.#flipCheck()
    const silenceMs = pick(silencesMs, random())
    const lockDelayMs = pick(delaysMs, random())
    const body: SessionCreateCommand = {
      kind: 'session-create',
      id: `session-${this.#world.newRequestId()}`,
      node: sessionNode,
      name: '',
      lockDelayNs: lockDelayMs * 1e6,
      behavior: random() < 0.7 ? 'release' : 'delete',
      ttl: '',
      ttlMs: lockDelayMs < 1000 ? silenceMs / 2 : silenceMs,
      nodeChecks: random() < 0.2 ? [sessionCheck] : [],
      serviceChecks: null,
    }
    const use: SessionUse = {
      id: body.id,
      silenceMs,
      believedMs: -Infinity,
      triedMs: nowMs,
      isOver: false,
    }
    this.#write(body, (outcome, invokedMs) => {
      if (outcome?.ok !== true) return this.#later(50, () => this.begin())
      use.believedMs = invokedMs + silenceMs
      this.#shared.uses.push(use)
      this.#renewLater(use)
      this.#acquire(use)
    })
  }

  /** The check of a node fails for a moment: it ends sessions that nobody expects to end. */
  #flipCheck(): void {
    const flip = (status: 'critical' | 'passing', then: () => void): void => {
      const common = { nodeName: sessionNode, checkId: sessionCheck, output: '' }
      this.#write({ kind: 'update-check', ...common, status }, then)
    }
    flip('critical', () => flip('passing', () => this.#later(10, () => this.begin())))
  }

  #renewLater(use: SessionUse): void {
    this.#world.after((use.silenceMs / 3) * (0.4 + this.#world.random()), () => {
      if (use.isOver || this.#world.isClosing) return
      new Attempts<Renewal>(this.#world, renewing(this.#world, use), (renewal) => {
        if (renewal?.isGranted === true) {
          use.believedMs = Math.max(use.believedMs, renewal.askedMs + use.silenceMs)
        } else if (renewal !== undefined) this.#lose(use)
        this.#renewLater(use)
      }).begin()
    })
  }

  /** It was told that its session is over. */
  #lose(use: SessionUse): void {
    use.isOver = true
    if (this.#hold?.use === use) this.#hold.toMs = Math.min(this.#hold.toMs, this.#world.nowMs)
  }

  #acquire(use: SessionUse): void {
    if (use.isOver) return this.#later(50, () => this.begin())
    const key = this.#shared.keys.anyLock(this.#world.random)
    const asked = { kind: 'kv-acquire', key, ...this.#fields(), session: use.id } as const
    this.#request(asked, (outcome) => {
      if (outcome?.ok === false) this.#lose(use)
      if (outcome?.ok !== true || outcome.value !== undefined) {
        return this.#later(80, () => this.#acquire(use))
      }
      const hold: Hold = { key, use, fromMs: this.#world.nowMs, toMs: Infinity, token: undefined }
      this.#hold = hold
      this.#shared.holds.push(hold)
      this.#readToken(hold)
    })
  }

  #readToken(hold: Hold): void {
    const { nowMs } = this.#world
    const asked = { key: hold.key, isTree: false, consistency: 'leader' } as const
    const request: ReadRequest = { ...this.#begun(nowMs), asked, answer: undefined }
    this.#shared.reads.push(request)
    this.#ask(request, reading(this.#world, asked), (answer) => {
      if (answer !== undefined) request.answer = answer
      const row = answer?.rows[0]
      if (row?.session === hold.use.id) hold.token = [row.createIndex, row.lockIndex]
      // Most are short; the others need a renewal or more.
      const holdMs = this.#world.random() < 0.7 ? 60 : 1.5 * hold.use.silenceMs
      this.#later(holdMs, () => this.#giveUp(hold))
    })
  }

  #giveUp(hold: Hold): void {
    const { use, key } = hold
    const { random, nowMs } = this.#world
    const again = (): void => this.#later(30, () => this.#acquire(use))
    const chance = random()
    // It falls silent, and believes itself the holder for as long as it may.
    if (chance < 0.12) {
      use.isOver = true
      return this.#later(200, () => this.begin())
    }
    hold.toMs = Math.min(hold.toMs, nowMs)
    if (chance < 0.25) {
      use.isOver = true
      return this.#write({ kind: 'session-destroy', id: use.id }, again)
    }
    // Now and then of a session that does not hold it: a mistake that must do no harm.
    const session = random() < 0.1 ? pick(this.#shared.uses, random()).id : use.id
    this.#request({ kind: 'kv-release', key, ...this.#fields(), session }, again)
  }

  #fields() {
    const value = Buffer.from(`v${randomBelow(this.#world.random, 3)}`).toString('base64')
    return { value, flags: '0' }
  }

  #begun(invokedMs: number) {
    return { client: this.#id, id: this.#world.newRequestId(), invokedMs, returnedMs: Infinity }
  }

  #request(asked: WriteRequest['asked'], then: (outcome: Outcome | undefined) => void): void {
    const request: WriteRequest = { ...this.#begun(this.#world.nowMs), asked, answer: undefined }
    this.#shared.writes.push(request)
    this.#ask(request, writing(proposal(request.id, asked)), (outcome) => {
      if (outcome !== undefined) {
        const isDone = outcome.ok && outcome.value === undefined
        request.answer = { index: outcome.index, isDone }
      }
      then(outcome)
    })
  }

  /** What concerns no key. */
  #write(body: CommandBody, then: (outcome: Outcome | undefined, invokedMs: number) => void): void {
    const begun = this.#begun(this.#world.nowMs)
    this.#ask(
      { ...begun, asked: body, answer: undefined },
      writing(proposal(begun.id, body)),
      (outcome) => then(outcome, begun.invokedMs),
    )
  }

  #ask<Asked, Answer, Raw>(
    request: Request<Asked, Answer>,
    attempt: Attempt<Raw>,
    then: (raw: Raw | undefined) => void,
  ): void {
    const world = this.#world
    this.isWaiting = true
    new Attempts<Raw>(world, attempt, (raw) => {
      this.isWaiting = false
      if (raw !== undefined) request.returnedMs = world.nowMs
      then(raw)
      world.trace(() => `program ${this.#id}: ${JSON.stringify(request)} ${JSON.stringify(raw)}`)
    }).begin()
  }

  /** Nothing more once the run closes: the session is left to its TTL. */
  #later(withinMs: number, run: () => void): void {
    this.#world.after(this.#world.random() * withinMs, () => {
      if (!this.#world.isClosing) run()
    })
  }
}

function pick<T>(values: readonly T[], chance: number): T {
  return must(values[Math.floor(chance * values.length)])
}

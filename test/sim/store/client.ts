import { must } from '../../../src/base/assert.ts'
import { randomBelow } from '../../../src/base/random.ts'
import type { Consistency } from '../../../src/http/parameters.ts'
import type { Outcome } from '../../../src/state/machine/command.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import type { KvCommand } from '../../../src/state/kv/commands.ts'
import type { WorkloadClient } from '../workload.ts'
import { Attempts, reading, writing } from './attempts.ts'
import type { Attempt, StoreWorld } from './attempts.ts'
import type { ReadAnswer, ReadAsked, ReadRequest, Request, WriteRequest } from './history.ts'
import type { Hold, SessionUse } from './holds.ts'
import type { Keys } from './keys.ts'

/** What all clients of the store share. */
export interface StoreShared {
  readonly keys: Keys
  readonly reads: ReadRequest[]
  readonly writes: WriteRequest[]
  readonly uses: SessionUse[]
  readonly holds: Hold[]
  /** By key: the index that a client was told last, for a check-and-set that has a chance. */
  readonly lastSeen: Map<string, string>
}

/** A proposal as a server makes it of a request. */
export function proposal(requestId: string, body: CommandBody): string {
  return JSON.stringify({ version: 1, requestId, actor: 'sim', cause: 'sim', body })
}

/** Uses keys, one request after the other. */
export class KvClient implements WorkloadClient {
  readonly #world: StoreWorld
  readonly #shared: StoreShared
  readonly #id: number
  isWaiting = false

  constructor(world: StoreWorld, shared: StoreShared, id: number) {
    this.#world = world
    this.#shared = shared
    this.#id = id
  }

  begin(): void {
    this.isWaiting = true
    if (this.#world.random() < 0.5) this.#read()
    else this.#write()
  }

  #read(): void {
    const { random, nowMs } = this.#world
    const isTree = random() < 0.2
    const { keys, reads } = this.#shared
    const key = isTree ? keys.anyPrefix(random) : keys.anyOfAll(random)
    const asked: ReadAsked = { key, isTree, consistency: anyConsistency(random()) }
    const request: ReadRequest = { ...this.#request(nowMs), asked, answer: undefined }
    reads.push(request)
    this.#ask(request, reading(this.#world, asked), (answer: ReadAnswer) => {
      const { lastSeen } = this.#shared
      if (!isTree) lastSeen.set(key, '0')
      for (const row of answer.rows) lastSeen.set(row.key, String(row.modifyIndex))
      return answer
    })
  }

  #write(): void {
    const { nowMs } = this.#world
    const asked = this.#choose()
    const request: WriteRequest = { ...this.#request(nowMs), asked, answer: undefined }
    this.#shared.writes.push(request)
    const attempt = writing(proposal(request.id, asked))
    this.#ask(request, attempt, (outcome: Outcome) => ({
      index: outcome.index,
      isDone: outcome.ok && outcome.value !== false,
    }))
  }

  #request(invokedMs: number) {
    return { client: this.#id, id: this.#world.newRequestId(), invokedMs, returnedMs: Infinity }
  }

  #choose(): KvCommand {
    const { random } = this.#world
    const { keys, lastSeen } = this.#shared
    const chance = random()
    if (chance < 0.06) return { kind: 'kv-delete-tree', prefix: keys.anyFreePrefix(random) }
    // Whoever deletes a locked key takes the lock away.
    const key = chance < 0.3 ? keys.anyFree(random) : keys.anyOfAll(random)
    // Most of them have a chance, and some compare with 0 or with an index of long ago.
    const seen = random() < 0.8 ? (lastSeen.get(key) ?? '0') : String(randomBelow(random, 200))
    const cas = random() < 0.5 ? seen : undefined
    if (chance < 0.3) return { kind: 'kv-delete', key, cas }
    // Few values: a put of what is there already changes nothing.
    const value = Buffer.from(`v${randomBelow(random, 40)}`).toString('base64')
    return { kind: 'kv-put', key, value, flags: String(randomBelow(random, 2)), cas }
  }

  #ask<Asked, Answer, Raw>(
    request: Request<Asked, Answer>,
    attempt: Attempt<Raw>,
    answerOf: (raw: Raw) => Answer,
  ): void {
    const world = this.#world
    new Attempts<Raw>(world, attempt, (raw) => {
      if (raw !== undefined) {
        request.returnedMs = world.nowMs
        request.answer = answerOf(raw)
      }
      world.trace(() => `client ${this.#id}: ${JSON.stringify(request)}`)
      this.#rest()
    }).begin()
  }

  #rest(): void {
    this.isWaiting = false
    const { random } = this.#world
    // In bursts, so that they overlap.
    const restMs = random() < 0.6 ? random() * 10 : random() * 150
    this.#world.after(restMs, () => {
      if (!this.#world.isClosing) this.begin()
    })
  }
}

const consistencies: readonly Consistency[] = ['leader', 'leader', 'consistent', 'stale']

function anyConsistency(chance: number): Consistency {
  return must(consistencies[Math.floor(chance * consistencies.length)])
}

import { reach } from '../../../src/http/consistency.ts'
import { kvQuestion } from '../../../src/api/endpoints/kv/questions.ts'
import { assert } from '../../../src/base/assert.ts'
import { svcdError } from '../../../src/base/errors.ts'
import type { Freshness } from '../../../src/ports/freshness.ts'
import type { Outcome } from '../../../src/state/machine/command.ts'
import { kvFamily } from '../../../src/state/kv/family.ts'
import type { NodeId } from '../../../src/raft/entry.ts'
import { longAttemptMs } from '../client.ts'
import type { ClientWorld } from '../client.ts'
import type { SimNode } from '../node.ts'
import type { SessionUse } from './holds.ts'
import type { ReadAnswer, ReadAsked } from './history.ts'
import { StoreMachine } from './machine.ts'
import type { Stored } from './twin.ts'

const attemptsMax = 5

/** What the clients of the store need of the world. */
export interface StoreWorld extends ClientWorld {
  /** Promises of this server may be due. */
  stir(node: SimNode): void
  abort(error: unknown): void
}

/** One attempt at one server: `settle` is called at most once, with undefined when it could not be done. */
export type Attempt<Answer> = (node: SimNode, settle: (answer: Answer | undefined) => void) => void

/**
 * Asks one server after the other for one thing, until one answers. Without an answer nobody knows what became
 * of it, unless nothing fails any more.
 */
export class Attempts<Answer> {
  readonly #world: StoreWorld
  readonly #attempt: Attempt<Answer>
  readonly #done: (answer: Answer | undefined) => void
  #target: NodeId | undefined
  /** What an earlier one still says finds a higher number. */
  #current = 0
  #count = 0

  constructor(
    world: StoreWorld,
    attempt: Attempt<Answer>,
    done: (answer: Answer | undefined) => void,
  ) {
    this.#world = world
    this.#attempt = attempt
    this.#done = done
  }

  /** `first`: whom to ask first. */
  begin(first?: NodeId): void {
    this.#target = first
    this.#try()
  }

  #try(): void {
    const world = this.#world
    const current = ++this.#current
    if (this.#count++ >= attemptsMax && world.isFaulty) return this.#end(undefined)
    const target = this.#target ?? world.anyNode()
    world.after(this.#attemptMs(), () => {
      if (current === this.#current) this.#again(world.nodeAfter(target))
    })
    world.after(0.1 + world.random() * 2, () => {
      const node = world.nodes.get(target)
      if (current !== this.#current || node === undefined) return
      this.#attempt(node, (answer) => {
        if (current !== this.#current) return
        if (answer === undefined) this.#again(world.nodeAfter(target))
        else this.#end(answer)
      })
    })
  }

  #attemptMs(): number {
    const { random, isFaulty } = this.#world
    // Longer and longer once nothing fails: what was asked again and again must not fill the log.
    if (!isFaulty) return Math.min(longAttemptMs, 150 * 2 ** this.#count)
    return random() < 0.7 ? 300 : longAttemptMs
  }

  #again(target: NodeId): void {
    const current = ++this.#current
    this.#target = target
    this.#world.after(20 + this.#world.random() * 60, () => {
      if (current === this.#current) this.#try()
    })
  }

  #end(answer: Answer | undefined): void {
    this.#current++
    this.#done(answer)
  }
}

/** The store of a server. */
export function storeOf({ machine }: SimNode): StoreMachine {
  assert(machine instanceof StoreMachine, 'the clients of this run use the store')
  return machine
}

/** A write, under the same request ID at each server. */
export function writing(json: string): Attempt<Outcome> {
  return (node, settle) => {
    node.write(json, (result) => settle(result.kind === 'applied' ? result.outcome : undefined))
  }
}

/** A read, on the way that the API takes: `reach`, then the answer from what this server has applied. */
export function reading(world: StoreWorld, asked: ReadAsked): Attempt<ReadAnswer> {
  return (node, settle) => {
    const { replica } = node
    if (replica === undefined) return
    const context = {
      freshness: freshnessOf(node),
      clock: { monotonicMs: () => world.nowMs },
      leaderWaitMs: 0,
      isStopping: () => !replica.isAlive,
    }
    const answer = (): void => {
      if (replica.isAlive) settle(answerOf(node, asked))
    }
    world.stir(node)
    reach(context, asked.consistency)
      .then(answer, () => settle(undefined))
      .catch((error: unknown) => world.abort(error))
  }
}

/** What a program is told of its session. */
export interface Renewal {
  /** When this server was asked: the TTL counts from no earlier. */
  readonly askedMs: number
  readonly isGranted: boolean
}

export function renewing(world: StoreWorld, use: SessionUse): Attempt<Renewal> {
  return (node, settle) => {
    const askedMs = world.nowMs
    use.triedMs = askedMs
    node.run((replica) => {
      if (replica.sessions === undefined) return settle(undefined)
      replica
        .renewSession(use.id)
        .then(
          (session) => {
            if (replica.isAlive) settle({ askedMs, isGranted: session !== null })
          },
          () => settle(undefined),
        )
        .catch((error: unknown) => world.abort(error))
    })
  }
}

function freshnessOf(node: SimNode): Freshness {
  const { replica } = node
  return {
    barrier: () =>
      new Promise((resolve, reject) => {
        node.run((current) =>
          current.read((isHeld) => (isHeld ? resolve() : reject(svcdError('no-leader', {})))),
        )
      }),
    leader: () => replica?.raft?.status.leader ?? '',
    isLeader: () => node.isLeader,
    isAlone: () => replica?.isAlone === true,
    lastContactMs: () => 0,
    outOfService: () => undefined,
  }
}

interface Row {
  readonly Key: string
  readonly Value: string | null
  readonly Flags: number
  readonly LockIndex: number
  readonly Session?: string
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

function answerOf(node: SimNode, { key, isTree }: ReadAsked): ReadAnswer {
  const store = storeOf(node)
  const parameters = isTree ? { recurse: '' } : {}
  const name = `${key}${isTree ? '?recurse' : ''}`
  const question = kvQuestion(store.of(kvFamily), key, parameters)
  const { index, body } = store.answer(name, question)
  const rows = body.length === 0 ? [] : (JSON.parse(body.toString()) as Row[])
  return {
    index,
    rows: rows.map((row) => ({ key: row.Key, ...storedOf(row) })),
    by: node.id,
    applied: store.appliedIndex(),
    committed: node.ledger.commitIndex,
  }
}

function storedOf(row: Row): Stored {
  return {
    value: row.Value ?? '',
    flags: row.Flags,
    lockIndex: row.LockIndex,
    session: row.Session ?? '',
    createIndex: row.CreateIndex,
    modifyIndex: row.ModifyIndex,
  }
}

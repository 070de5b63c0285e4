import { randomBelow } from '../../src/base/random.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import type { History, Op, Operation } from './history.ts'
import { encodeProposal } from './machine.ts'
import { machineOf } from './machine.ts'
import type { SimOutcome } from './machine.ts'
import type { SimNode } from './node.ts'
import type { Surroundings } from './surroundings.ts'

const attemptsMax = 5
export const longAttemptMs = 2000

export interface ClientWorld extends Surroundings {
  readonly nodes: ReadonlyMap<NodeId, SimNode>
  /** No client begins anything new. */
  readonly isClosing: boolean
  newRequestId(): string
  anyNode(): NodeId
  /** Whom to ask when `id` has not answered: round all of them, so that one that hangs is drawn once. */
  nodeAfter(id: NodeId): NodeId
}

/** What all clients of one run share. */
export interface Shared {
  readonly history: History
  /** What a client was told last of a key, for a swap that has a chance. */
  readonly lastSeen: Map<string, number>
}

/**
 * Asks one server after the other for one thing at a time, reads as well as writes. A write that may or
 * may not have happened is asked for again under the same request id, for a while.
 */
export class Client {
  readonly #world: ClientWorld
  readonly #shared: Shared
  readonly #id: number
  #target: NodeId | undefined
  #operation: Operation | undefined
  #proposal: string | undefined
  #attempt = 0
  #attempts = 0
  completed = 0

  constructor(world: ClientWorld, shared: Shared, id: number) {
    this.#world = world
    this.#shared = shared
    this.#id = id
  }

  get isWaiting(): boolean {
    return this.#operation !== undefined
  }

  begin(): void {
    const { random, options, nowMs } = this.#world
    const key = `k${randomBelow(random, options.keys)}`
    const op = this.#choose(key)
    const command = this.#world.newRequestId()
    this.#operation = this.#shared.history.invoke({ client: this.#id, command, key, op }, nowMs)
    this.#attempts = 0
    this.#proposal = op.kind === 'read' ? undefined : encodeProposal(command, key, op)
    this.#try()
  }

  #choose(key: string): Op {
    const { random } = this.#world
    const value = 1 + randomBelow(random, 1_000_000)
    const chance = random()
    if (chance < 0.45) return { kind: 'read' }
    if (chance < 0.85) return { kind: 'append', value }
    return { kind: 'swap', expected: this.#shared.lastSeen.get(key) ?? 0, value }
  }

  #try(): void {
    const world = this.#world
    const attempt = ++this.#attempt
    if (this.#attempts++ >= attemptsMax) return this.#giveUp()
    const attemptMs = this.#attemptMs()
    const target = this.#target ?? world.anyNode()
    world.after(attemptMs, () => {
      if (attempt === this.#attempt) this.#again(world.nodeAfter(target))
    })
    world.after(0.1 + world.random() * 2, () => {
      if (attempt !== this.#attempt) return
      if (this.#proposal === undefined) this.#read(target, attempt)
      else this.#write(target, attempt, this.#proposal)
    })
  }

  #attemptMs(): number {
    const { random, isFaulty } = this.#world
    // Longer and longer once nothing fails: what was asked again and again must not fill the log.
    if (!isFaulty) return Math.min(longAttemptMs, 150 * 2 ** this.#attempts)
    // Long ones too: a server that was paused may still answer.
    return random() < 0.7 ? 300 : longAttemptMs
  }

  #write(target: NodeId, attempt: number, proposal: string): void {
    this.#world.nodes.get(target)?.write(proposal, (result) => {
      if (attempt !== this.#attempt) return
      if (result.kind === 'applied') this.#end((result.outcome as SimOutcome).result)
      else this.#again(this.#world.nodeAfter(target))
    })
  }

  #read(target: NodeId, attempt: number): void {
    const node = this.#world.nodes.get(target)
    node?.read((isHeld) => {
      if (attempt !== this.#attempt) return
      const key = this.#operation?.key ?? ''
      if (isHeld) this.#end(machineOf(node).state.registers.get(key) ?? 0)
      else this.#again(this.#world.nodeAfter(target))
    })
  }

  #again(target: NodeId | undefined): void {
    const attempt = ++this.#attempt
    this.#target = target
    this.#world.after(20 + this.#world.random() * 60, () => {
      if (attempt === this.#attempt && this.#operation !== undefined) this.#try()
    })
  }

  #end(result: number | boolean): void {
    const { nowMs } = this.#world
    const operation = this.#operation
    if (operation === undefined) return
    operation.returnedMs = nowMs
    operation.result = result
    if (typeof result === 'number') this.#shared.lastSeen.set(operation.key, result)
    this.#world.trace(() => `client ${this.#id}: ${JSON.stringify(operation)}`)
    this.completed++
    // Each server, followers as well, is asked for reads and writes.
    if (this.#world.random() < 0.5) this.#target = undefined
    this.#rest()
  }

  /** Once nothing fails it may not be the end of it: another request must have its answer. */
  #giveUp(): void {
    if (!this.#world.isFaulty) return this.begin()
    this.#target = undefined
    this.#rest()
  }

  #rest(): void {
    this.#operation = undefined
    this.#attempt++
    this.#world.after(this.#world.random() * 60, () => {
      if (!this.#world.isClosing) this.begin()
    })
  }
}

import { randomBelow } from '../../src/base/random.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import type { History, Op, Operation } from './history.ts'
import { commandName, encodeCommand } from './machine.ts'
import type { SimNode } from './node.ts'
import type { Surroundings } from './surroundings.ts'

const attemptsMax = 4
export const longAttemptMs = 2000

interface ClientWorld extends Surroundings {
  readonly nodes: ReadonlyMap<NodeId, SimNode>
  readonly history: History
  /** What a client was told last of a key, for a swap that has a chance. */
  readonly lastSeen: Map<string, number>
  /** No client begins anything new. */
  readonly isClosing: boolean
  nextSession(): number
  anyNode(): NodeId
  /** Whom to ask when `id` has not answered: round all of them, so that one that hangs is drawn once. */
  nodeAfter(id: NodeId): NodeId
}

/**
 * Asks for one thing at a time. A write that may or may not have happened is asked for again under the
 * same sequence number; given up, its session is never used again.
 */
export class Client {
  readonly #world: ClientWorld
  readonly #id: number
  #session: number
  #sequence = 0
  #target: NodeId | undefined
  #operation: Operation | undefined
  #data: Uint8Array | undefined
  #attempt = 0
  #attempts = 0
  completed = 0

  constructor(world: ClientWorld, id: number) {
    this.#world = world
    this.#id = id
    this.#session = world.nextSession()
  }

  get isWaiting(): boolean {
    return this.#operation !== undefined
  }

  begin(): void {
    const { random, options, history, nowMs } = this.#world
    const key = `k${randomBelow(random, options.keys)}`
    const op = this.#choose(key)
    const name = { session: this.#session, sequence: ++this.#sequence }
    const command = commandName(name)
    this.#operation = history.invoke({ client: this.#id, command, key, op }, nowMs)
    this.#attempts = 0
    this.#data = op.kind === 'read' ? undefined : encodeCommand({ ...name, key, op })
    this.#try()
  }

  #choose(key: string): Op {
    const { random } = this.#world
    const value = 1 + randomBelow(random, 1_000_000)
    const chance = random()
    if (chance < 0.45) return { kind: 'read' }
    if (chance < 0.85) return { kind: 'append', value }
    return { kind: 'swap', expected: this.#world.lastSeen.get(key) ?? 0, value }
  }

  #try(): void {
    const world = this.#world
    const attempt = ++this.#attempt
    if (this.#attempts++ >= attemptsMax && world.isFaulty) return this.#giveUp()
    // Long ones too: a server that was paused may still answer.
    const attemptMs = world.random() < 0.7 || !world.isFaulty ? 300 : longAttemptMs
    const target = this.#target ?? world.anyNode()
    world.after(attemptMs, () => {
      if (attempt === this.#attempt) this.#again(world.nodeAfter(target))
    })
    world.after(0.1 + world.random() * 2, () => {
      world.nodes.get(target)?.act(() => {
        if (attempt !== this.#attempt) return
        if (this.#data === undefined) this.#read(target, attempt)
        else this.#write(target, attempt, this.#data)
      })
    })
  }

  #write(target: NodeId, attempt: number, data: Uint8Array): void {
    const node = this.#world.nodes.get(target)
    const answer = node?.propose(data, (outcome) => {
      if (attempt !== this.#attempt) return
      if (outcome.kind === 'done') this.#end(outcome.result)
      else this.#again(undefined)
    })
    if (answer?.isAccepted === true) this.#target = target
    else this.#again(answer?.leader)
  }

  #read(target: NodeId, attempt: number): void {
    const node = this.#world.nodes.get(target)
    const isAsked = node?.read((isReady) => {
      if (attempt !== this.#attempt) return
      const key = this.#operation?.key ?? ''
      if (isReady) this.#end(node.machine.state.registers.get(key) ?? 0)
      else this.#again(undefined)
    })
    if (isAsked !== true) this.#again(undefined)
  }

  #again(target: NodeId | undefined): void {
    const attempt = ++this.#attempt
    this.#target = target
    this.#world.after(20 + this.#world.random() * 60, () => {
      if (attempt === this.#attempt && this.#operation !== undefined) this.#try()
    })
  }

  #end(result: number | boolean): void {
    const { nowMs, lastSeen } = this.#world
    const operation = this.#operation
    if (operation === undefined) return
    operation.returnedMs = nowMs
    operation.result = result
    if (typeof result === 'number') lastSeen.set(operation.key, result)
    this.#world.trace(() => `client ${this.#id}: ${JSON.stringify(operation)}`)
    this.completed++
    // Reads go anywhere; who writes stays with the leader that it has found.
    if (this.#world.random() < 0.5) this.#target = undefined
    this.#rest()
  }

  #giveUp(): void {
    this.#session = this.#world.nextSession()
    this.#sequence = 0
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

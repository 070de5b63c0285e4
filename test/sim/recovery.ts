import { must } from '../../src/base/assert.ts'
import { randomBelow, seededRandom } from '../../src/base/random.ts'
import type { Random } from '../../src/base/random.ts'
import { recoverLog } from '../../src/replica/offline/recover.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import { isVoter } from '../../src/raft/config.ts'
import type { Message } from '../../src/raft/message.ts'
import { addressOf } from './addresses.ts'
import { check, Ledger, Violation } from './ledger.ts'
import type { Mutant, SimNode } from './node.ts'
import { optionsOf } from './options.ts'
import type { SimOptions } from './options.ts'
import { World } from './world.ts'

/** What EpochFence waits for a member, with the time of a dial and of a turn. */
const contactMs = 2000 + 1000
const rejoinMs = 30_000

export interface RecoveryResult {
  readonly failure: string | undefined
  readonly lines: readonly string[]
  readonly events: number
  /** Servers of the old epoch that wrote on before they heard of the new one. */
  readonly acknowledgedBefore: number
}

function recoveryOptions(seed: number, random: Random): SimOptions {
  const servers = random() < 0.7 ? 3 : 5
  const calm = { faults: new Set<never>(), lossRate: 0, duplicateRate: 0, driftRate: 0 }
  const base = { servers, expect: servers, begins: 'founded', promotes: true } as const
  return { ...optionsOf(seed), ...calm, ...base, snapshotEvery: Infinity, delayMs: 2, diskMs: 1 }
}

/**
 * One recovery: all servers stop, `operator raft recover` is run on the disk of one, and those that it left
 * behind are started with their old data, before or after it. Then they are wiped, and join again.
 */
export async function runRecovery(
  seed: number,
  extra: { mutant?: Mutant | undefined; isTracing?: boolean } = {},
): Promise<RecoveryResult> {
  const random = seededRandom(seed ^ 0xe90c)
  const world = new World(recoveryOptions(seed, random), extra)
  const scene = new Recovery(world, random)
  let failure: string | undefined
  try {
    await scene.run()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    failure = error.message
  }
  const { acknowledgedBefore } = scene
  return { failure, lines: world.lines, events: world.eventCount, acknowledgedBefore }
}

class Recovery {
  readonly #world: World
  readonly #random: Random
  #recovered!: SimNode
  #leftBehind: SimNode[] = []
  /** They have dialled one that knows of the new epoch. */
  readonly #learned = new Set<NodeId>()
  /** From then on no server of the old epoch may take part. */
  #silentFromMs = Infinity
  acknowledgedBefore = 0

  constructor(world: World, random: Random) {
    this.#world = world
    this.#random = random
    world.onLearned = (node) => this.#learned.add(node.id)
    world.onAcknowledged = (node) => this.#onAcknowledged(node)
    world.onSent = (node, message) => this.#onSent(node, message)
  }

  async run(): Promise<void> {
    const world = this.#world
    world.begin()
    await world.runUntil(1500 + this.#random() * 1500)
    check(world.leaders().length > 0, 'there is a leader before the recovery')
    await this.#recover()
    if (this.#random() < 0.5) await this.#startOldFirst()
    else await this.#startOldLast()
    for (const { id } of this.#leftBehind) {
      check(this.#learned.has(id), `${id} has not heard of the recovery in time`)
    }
    await this.#restartOldAlone()
    await this.#greetStranger()
    await this.#wipe()
  }

  #for(ms: number): Promise<void> {
    return this.#world.runUntil(this.#world.nowMs + ms)
  }

  /** Some are cut off first, so that the logs differ. */
  async #recover(): Promise<void> {
    const { nodes, network, forks } = this.#world
    const all = [...nodes.values()]
    this.#recovered = must(all[randomBelow(this.#random, all.length)])
    this.#leftBehind = all.filter((node) => node !== this.#recovered)
    const { disk, id } = this.#recovered
    if (this.#random() < 0.4) {
      for (const other of this.#leftBehind) network.cut(other.id, id)
      await this.#for(400)
    }
    for (const node of all) node.crash('lost', false)
    network.heal()
    const recovery = recoverLog(
      {
        meta: (key) => disk.meta(key),
        setMeta: (key, value) => disk.setMeta(key, value),
        state: () => disk.state(),
        entries: (from, to, bytesMax) => disk.entries(from, to, bytesMax),
        write: (write) => disk.commitWrite(write),
      },
      { id: () => id, address: addressOf(id), refuse: (reason) => new Violation(reason) },
    )
    const { clusterId, epoch } = recovery
    const entries = disk.entries(1, disk.lastIndex, Infinity)
    forks.set(String(epoch), Ledger.ofRecovered(this.#world, clusterId, entries))
    this.#world.trace(() => `${id} is recovered into epoch ${epoch}`)
  }

  /** They go on in the old epoch, a majority as they are; then the recovered one comes. */
  async #startOldFirst(): Promise<void> {
    for (const node of this.#leftBehind) node.start()
    await this.#for(3000 + this.#random() * 4000)
    this.#cutSome()
    this.#recovered.start()
    this.#silentFromMs = this.#world.nowMs + contactMs
    await this.#for(contactMs + 3000)
    this.#world.network.heal()
  }

  /** Whoever starts when the new epoch is there hears of it before it does anything. */
  async #startOldLast(): Promise<void> {
    this.#recovered.start()
    await this.#for(this.#random() * 2000)
    this.#silentFromMs = this.#world.nowMs
    const slowMs = this.#random() < 0.5 ? this.#random() * 1500 : 0
    for (const { id } of this.#leftBehind) this.#world.network.slow(id, this.#recovered.id, slowMs)
    for (const node of this.#leftBehind) {
      node.start()
      await this.#for(this.#random() * 400)
    }
    await this.#for(contactMs + 3000)
    this.#world.network.heal()
  }

  /** Now and then only one of them can reach the recovered one: the others hear of it from that one. */
  #cutSome(): void {
    if (this.#random() < 0.5) return
    const { network } = this.#world
    for (const { id } of this.#leftBehind.slice(1)) {
      network.cut(id, this.#recovered.id)
      network.cut(this.#recovered.id, id)
    }
  }

  /** What they have heard they do not forget, though nobody is there to tell them again. */
  async #restartOldAlone(): Promise<void> {
    this.#recovered.crash('kept', false)
    for (const node of this.#leftBehind) node.crash('kept', false)
    for (const node of this.#leftBehind) node.start()
    await this.#for(contactMs + 2000)
    this.#recovered.start()
    await this.#for(2000)
  }

  async #greetStranger(): Promise<void> {
    const { raft } = must(this.#recovered.replica)
    this.#recovered.run((replica) => replica.greetedBy(99))
    await this.#for(1000)
    check(raft?.fencedWith === undefined, `${this.#recovered.id} believes whoever dials it`)
    check(this.#recovered.isLeader, `${this.#recovered.id} leads the cluster it is alone in`)
  }

  async #wipe(): Promise<void> {
    const { nodes } = this.#world
    for (const node of this.#leftBehind) {
      node.crash('lost', false)
      nodes.delete(node.id)
    }
    const fresh = this.#leftBehind.map(() => this.#world.addEmpty([this.#recovered.id]))
    for (const node of fresh) node.start()
    const deadlineMs = this.#world.nowMs + rejoinMs
    const isJoined = (): boolean => {
      const { config } = must(this.#recovered.driver).raft.state
      return fresh.every(({ id, driver }) => {
        return isVoter(config, id) && driver?.raft.state.leader !== undefined
      })
    }
    while (!isJoined() && this.#world.nowMs < deadlineMs) await this.#for(200)
    check(isJoined(), 'servers that were wiped do not join again')
  }

  #onAcknowledged(node: SimNode): void {
    if (!this.#leftBehind.includes(node)) return
    if (this.#world.forks.size > 0) this.acknowledgedBefore++
    this.#checkSilent(node, 'acknowledges a write')
  }

  #onSent(node: SimNode, { type }: Message): void {
    const isTakingPart =
      type === 'vote-request' || type === 'vote-response' || type === 'append-request'
    if (isTakingPart && this.#leftBehind.includes(node)) this.#checkSilent(node, `sends a ${type}`)
  }

  #checkSilent({ id }: SimNode, what: string): void {
    const { nowMs } = this.#world
    check(!this.#learned.has(id), `${id} ${what} after it heard of a newer epoch`)
    check(nowMs < this.#silentFromMs, `${id} ${what}, though it can reach a newer epoch`)
  }
}

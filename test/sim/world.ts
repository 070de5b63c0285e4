import { must } from '../../src/base/assert.ts'
import { randomBelow, seededRandom } from '../../src/base/random.ts'
import type { Random } from '../../src/base/random.ts'
import { emptyConfig, isMember } from '../../src/raft/config.ts'
import { bootstrapWrite } from '../../src/raft/driver.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import { addressOf } from './addresses.ts'
import type { DiskError, Fate } from './disk.ts'
import { Ledger } from './ledger.ts'
import { Network } from './network.ts'
import { SimNode } from './node.ts'
import type { Beginning, Mutant, NodeWorld } from './node.ts'
import type { MachineEvents, NodeMachine } from './node-machine.ts'
import type { SimOptions } from './options.ts'
import { Registers } from './registers.ts'
import { Scheduler } from './scheduler.ts'
import type { Workload, WorkloadClient } from './workload.ts'

/** Turns of the promises that one event sets going, as many as the longest chain of them takes. */
const promiseTurns = 12
const settled = Promise.resolve()

/** How often a process dies right behind a message: a promise, or a question, that it then forgets. */
const dieAfter: Readonly<Partial<Record<Message['type'], number>>> = {
  'vote-request': 0.05,
  'vote-response': 0.2,
  'append-response': 0.002,
  'read-request': 0.05,
}

export interface WorldExtra {
  readonly mutant?: Mutant | undefined
  readonly isTracing?: boolean
  readonly workload?: Workload
}

/** A whole cluster, its clients and its surroundings, in one thread and in virtual time. */
export class World implements NodeWorld {
  readonly options: SimOptions
  readonly random: Random
  readonly nodes = new Map<NodeId, SimNode>()
  readonly network: Network
  readonly ledger: Ledger
  readonly workload: Workload
  readonly clients: WorkloadClient[] = []
  readonly mutant: Mutant | undefined
  readonly lines: string[] = []
  /** By epoch: the history of the cluster from each recovery on. */
  readonly forks = new Map<string, Ledger>()
  onAcknowledged?: (node: SimNode) => void
  onLearned?: (node: SimNode) => void
  /** False once only the lasting fault is left. */
  isFaulty = true
  /** No client begins anything new. */
  isClosing = false
  /** Found by what ran in a promise. */
  violation: Error | undefined
  readonly #isTracing: boolean
  readonly #scheduler = new Scheduler()
  readonly #stirred = new Set<SimNode>()
  #requests = 0
  #clusters = 0
  #ids = 0

  constructor(options: SimOptions, extra: WorldExtra = {}) {
    this.options = options
    this.random = seededRandom(options.seed ^ 0x5eed)
    this.mutant = extra.mutant
    this.workload = extra.workload ?? new Registers()
    this.#isTracing = extra.isTracing === true
    this.network = new Network(this)
    this.ledger = new Ledger(this)
  }

  get nowMs(): number {
    return this.#scheduler.nowMs
  }

  ledgerOf(node: SimNode): Ledger {
    if (this.forks.size === 0) return this.ledger
    return this.forks.get(node.disk.meta('epoch') ?? '') ?? this.ledger
  }

  /** How many events were made so far: with the time, a name for a moment of a run. */
  get eventCount(): number {
    return this.#scheduler.count
  }

  after(delayMs: number, run: () => void): void {
    this.#scheduler.after(delayMs, run)
  }

  async runUntil(untilMs: number): Promise<void> {
    while (this.#scheduler.next(untilMs)) {
      // Each event checks what it touched.
      if (this.#stirred.size > 0) await this.#runPromises()
    }
  }

  stir(node: SimNode): void {
    this.#stirred.add(node)
  }

  /** As between two turns of an event loop. What takes more turns goes on after the next event. */
  async #runPromises(): Promise<void> {
    for (let turn = 0; turn < promiseTurns; turn++) await settled
    const stirred = [...this.#stirred]
    this.#stirred.clear()
    for (const node of stirred) node.afterPromises()
    if (this.violation !== undefined) throw this.violation
  }

  trace(line: () => string): void {
    if (this.#isTracing) this.lines.push(`${this.nowMs.toFixed(3)} ${line()}`)
  }

  begin(): void {
    const ids = Array.from({ length: this.options.servers }, () => this.newId())
    if (this.options.begins === 'founded') this.#found(ids)
    else this.#gather(ids)
    for (let id = 0; id < this.options.clients; id++) {
      const client = this.workload.client(this, id)
      this.clients.push(client)
      this.after(this.random() * 500, () => client.begin())
    }
  }

  /** The first servers share their first entry, the configuration of all of them. */
  #found(ids: readonly NodeId[]): void {
    const clusterId = this.newClusterId()
    const addresses = Object.fromEntries(ids.map((id) => [id, addressOf(id)]))
    const config = { ...emptyConfig, voters: ids.toSorted(), addresses }
    for (const id of ids) {
      const node = this.#add(id, { expect: ids.length, knows: [] })
      const write = must(bootstrapWrite(node.disk.state(), config))
      this.ledger.onFounded(id, clusterId, must(write.entries[0]))
      node.disk.commitWrite(write)
      this.ledger.onCluster(id, clusterId)
      node.disk.setMeta('clusterId', clusterId)
      node.start()
    }
  }

  /** The first servers have to find each other; one more may find what they have founded. */
  #gather(ids: readonly NodeId[]): void {
    const { expect } = this.options
    const isJoined = ids.length > 1 && this.random() < 0.5
    const late = isJoined ? [this.newId()] : []
    for (const id of [...ids, ...late]) {
      const node = this.#add(id, { expect: late.includes(id) ? 0 : expect, knows: ids })
      this.after(this.random() * 1000, () => node.start())
    }
    if (this.random() < 0.3) return
    for (const a of ids) {
      for (const b of ids) {
        if (a >= b || this.random() < 0.6) continue
        this.network.cut(a, b)
        this.network.cut(b, a)
      }
    }
    this.after(this.random() * 3000, () => this.network.heal())
  }

  newMachine(events: MachineEvents): NodeMachine {
    return this.workload.machine(events, this.options)
  }

  newId(): NodeId {
    // Two digits, so that sorting is by age, and ids are never used again.
    return `s${String(++this.#ids).padStart(2, '0')}`
  }

  newRequestId(): string {
    return `r${++this.#requests}`
  }

  newClusterId(): string {
    return `c${++this.#clusters}`
  }

  /** A server that an operator adds to the cluster: it is told of it. */
  addNode(id: NodeId): SimNode {
    const node = this.#add(id, { expect: 0, knows: [] })
    node.disk.setMeta('clusterId', must(this.ledger.clusterId, 'there is a cluster'))
    return node
  }

  /** A server with an empty disk, that is told whom to ask. */
  addEmpty(knows: readonly NodeId[]): SimNode {
    return this.#add(this.newId(), { expect: 0, knows })
  }

  #add(id: NodeId, beginning: Beginning): SimNode {
    const node = new SimNode(this, id, beginning)
    this.nodes.set(id, node)
    return node
  }

  anyNode(): NodeId {
    const ids = [...this.nodes.keys()]
    return must(ids[randomBelow(this.random, ids.length)])
  }

  nodeAfter(id: NodeId): NodeId {
    const ids = this.#asked()
    return must(ids[(ids.indexOf(id) + 1) % ids.length])
  }

  /** Once nothing fails clients are told of the members alone: who was removed can do nothing for them. */
  #asked(): NodeId[] {
    const ids = [...this.nodes.keys()]
    const { config } = this.ledger
    if (this.isFaulty || config === undefined) return ids
    const found = ids.filter((id) => isMember(config, id))
    return found.length > 0 ? found : ids
  }

  /** Who holds itself for the leader, the highest term first. */
  leaders(): SimNode[] {
    const leaders = [...this.nodes.values()].filter((node) => node.isLeader)
    return leaders.toSorted((a, b) => termOf(b) - termOf(a))
  }

  fate(): Fate {
    const chance = this.random()
    if (this.options.faults.has('torn-write') && chance < 0.5) return 'torn'
    return chance < 0.75 ? 'lost' : 'kept'
  }

  restartLater(node: SimNode, withinMs = 3000): void {
    const delayMs = this.isFaulty ? 1 + this.random() ** 3 * withinMs : 50
    this.after(delayMs, () => {
      if (!node.isUp && this.nodes.get(node.id) === node) node.start()
    })
  }

  /** A process that dies right behind its promise: is it kept by the one that follows? */
  onSent(node: SimNode, message: Message): void {
    if (!this.isFaulty || !this.options.faults.has('crash')) return
    if (this.random() > (dieAfter[message.type] ?? 0)) return
    this.crashSoon(node)
  }

  crashSoon(node: SimNode): void {
    this.after(0, () => {
      if (!node.isUp) return
      node.crash(this.fate(), false)
      this.restartLater(node, 500)
    })
  }

  /** Ends the run, from within a promise. */
  abort(error: unknown): void {
    this.violation ??= error instanceof Error ? error : new Error(String(error))
  }

  /** The kernel closes the connections of a dead process; a dead machine closes none. */
  onCrash(id: NodeId): void {
    if (this.random() < 0.3) return
    for (const node of this.nodes.values()) {
      if (node.id === id || this.network.isCut(id, node.id)) continue
      this.after(0.2 + this.random() * 5, () => node.connectionLost(id))
    }
  }

  onDiskError(node: SimNode, error: DiskError): void {
    this.trace(() => `${node.id}: disk error ${error.message}`)
    node.crash(error.message === 'ENOSPC' ? 'lost' : this.fate(), false)
    this.restartLater(node)
  }
}

function termOf(node: SimNode): number {
  return must(node.driver).raft.state.term
}

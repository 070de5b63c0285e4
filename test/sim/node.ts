import { InvariantError, must } from '../../src/base/assert.ts'
import { randomBelow } from '../../src/base/random.ts'
import type { ProposalResult } from '../../src/replica/writes/proposals.ts'
import type { RaftServer } from '../../src/replica/raft-server.ts'
import type { Driver } from '../../src/raft/driver.ts'
import type { Config } from '../../src/raft/config.ts'
import type { Entry, Index, NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import { hasQuorum } from '../../src/raft/quorum.ts'
import type { SnapshotMeta } from '../../src/raft/storage.ts'
import { ticksDue } from '../../src/raft/ticks.ts'
import { printMessage } from '../raft/script.ts'
import { DiskError, SimDisk } from './disk.ts'
import type { Fate } from './disk.ts'
import { check, freshMarks, Violation } from './ledger.ts'
import type { Ledger, Server } from './ledger.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import type { Done, MachineEvents, NodeMachine, Shown } from './node-machine.ts'
import { SimReplica } from './replica.ts'
import type { Surroundings } from './surroundings.ts'

const tickMs = 50
/** As in the replica thread: the leader's duties, four times a second. */
const ticksPerDuty = 5

/** A defect put into every server of a run; see mutants.ts. */
export interface Mutant {
  readonly name: string
  /** Which rule it breaks. */
  readonly about: string
  readonly beforeBoot?: (node: SimNode) => void
  /** A process begins, with or without a cluster. */
  readonly onStart?: (node: SimNode, replica: SimReplica) => void
  /** The core has begun: at the start, or when its cluster was found. */
  readonly afterBoot?: (node: SimNode) => void
}

/** What a server sees of the world. */
export interface NodeWorld extends Surroundings {
  /** Of the cluster as this server has it: each recovery begins another history. */
  ledgerOf(node: SimNode): Ledger
  /** A client, or whoever forwarded for it, was told that a write is done. */
  onAcknowledged?: (node: SimNode) => void
  /** It has dialled one that knows a newer epoch of its cluster. */
  onLearned?: (node: SimNode) => void
  readonly mutant: Mutant | undefined
  newMachine(events: MachineEvents): NodeMachine
  readonly nodes: ReadonlyMap<NodeId, SimNode>
  readonly network: {
    send(message: Message): void
    reset(a: NodeId, b: NodeId): void
    dial(from: NodeId, to: NodeId, then: () => void): void
    carry(way: { from: NodeId; to: NodeId }, deliver: () => void, broken: () => void): void
  }
  /** Promises of this server may be due: they run before the next event. */
  stir(node: SimNode): void
  /** Ends the run, from within a promise. */
  abort(error: unknown): void
  newClusterId(): string
  newRequestId(): string
  crashSoon(node: SimNode): void
  onCrash(id: NodeId): void
  onDiskError(node: SimNode, error: DiskError): void
  /** A message has left; the process may die right behind it. */
  onSent(node: SimNode, message: Message): void
}

/** What a server is told at its first start. */
export interface Beginning {
  /** Servers that it waits for before a new cluster starts; 0: it joins one. */
  readonly expect: number
  /** Whom it asks, while it has no cluster. */
  readonly knows: readonly NodeId[]
}

/** One server: its disks outlive its processes. */
export class SimNode implements Server {
  readonly id: NodeId
  readonly world: NodeWorld
  readonly expect: number
  readonly knows: readonly NodeId[]
  readonly disk: SimDisk
  readonly machine: NodeMachine
  /** The process that runs. */
  replica: SimReplica | undefined
  /** What the ledger has seen of this server. */
  marks = freshMarks()
  /** A process, once ended, does nothing more: what it had scheduled finds a higher number. */
  #process = 0
  #pausedUntilMs = 0
  #inbox: (() => void)[] = []
  #lastTickMs = 0
  #ticks = 0
  /** As leader: at which tick each peer was heard last, and a quorum of them. */
  readonly #heardTick = new Map<NodeId, number>()
  #quorumTick = 0
  #ledConfig: Config | undefined
  /** As leader: where its log ended at the last ticks. */
  #tails: Index[] = []
  readonly #tickMs: number
  #isMakingSnapshot = false

  constructor(world: NodeWorld, id: NodeId, { expect, knows }: Beginning) {
    const { options, random } = world
    this.id = id
    this.world = world
    this.expect = expect
    this.knows = knows
    this.#tickMs = tickMs * (1 + (random() - 0.5) * 2 * options.driftRate)
    this.disk = new SimDisk({
      mode: options.disk,
      latencyMs: () => -Math.log(1 - random()) * options.diskMs,
      later: (delayMs, run) => this.#later(delayMs, run, true),
      onCommit: (_disk, write) => this.ledger.onDiskWrite(this.disk, write),
    })
    this.machine = world.newMachine({
      onEntry: (entry: Entry, shown: Shown, done: Done | undefined) =>
        this.ledger.onApplied(this, entry, { shown, done }),
      onApplied: (entry: Entry, outcome: Outcome | undefined) =>
        this.replica?.onApplied(entry, outcome),
      onSessions: () => this.replica?.sessions?.deadlines.changed(),
      onRestored: (shown: Shown, snapshot: SnapshotMeta) => this.#onRestored(shown, snapshot),
    })
  }

  get ledger(): Ledger {
    return this.world.ledgerOf(this)
  }

  get server(): RaftServer | undefined {
    return this.replica?.raft
  }

  get driver(): Driver | undefined {
    return this.server?.driver
  }

  get isUp(): boolean {
    return this.replica !== undefined
  }

  get isPaused(): boolean {
    return this.world.nowMs < this.#pausedUntilMs
  }

  /** Standing still: paused, or its only thread waits for the disk. */
  get isStill(): boolean {
    return this.isPaused || (this.world.options.disk === 'blocking' && this.disk.isBusy)
  }

  get isLeader(): boolean {
    return this.driver?.raft.state.role === 'leader'
  }

  start(): void {
    const { world } = this
    this.marks = freshMarks()
    this.machine.start()
    this.#process++
    this.#lastTickMs = world.nowMs
    this.#inbox = []
    this.#pausedUntilMs = 0
    this.#isMakingSnapshot = false
    this.#heardTick.clear()
    world.mutant?.beforeBoot?.(this)
    world.trace(() => `${this.id} starts`)
    const replica = new SimReplica(this)
    this.replica = replica
    world.mutant?.onStart?.(this, replica)
    // Servers do not tick in step.
    this.later(world.random() * this.#tickMs, () => this.#scheduleTick())
    this.#guard(() => {
      replica.start()
      replica.greet()
    })
  }

  /** The core has begun, on what the disk held. */
  onBegun(): void {
    const { world } = this
    world.mutant?.afterBoot?.(this)
    const { state } = must(this.driver).raft
    this.marks.term = state.term
    this.marks.commit = Math.min(state.log.commit, this.ledger.commitIndex)
    // Its last process may have ended between the write that says so and what follows. The one voter leads
    // at once, in a new term, and has not counted these.
    this.ledger.noteCommits(this)
    world.trace(() => `${this.id} begins, term ${state.term}, log ${state.log.lastIndex}`)
  }

  /** An input to the core, as soon as it is not standing still; lost when its process ends. */
  act(input: (driver: Driver) => void): void {
    this.run(() => {
      if (this.driver !== undefined) input(this.driver)
    })
  }

  /** An input to the process, whether it has a cluster or not. */
  run(input: (replica: SimReplica) => void): void {
    const { replica } = this
    if (replica === undefined) return
    if (this.isStill) this.#inbox.push(() => input(replica))
    else this.#guard(() => input(replica))
  }

  /** Does what the inputs so far have made due, within an input. */
  turn(): void {
    this.server?.turn()
  }

  pause(forMs: number): void {
    if (!this.isUp) return
    this.#pausedUntilMs = this.world.nowMs + forMs
    this.later(forMs, () => this.#drain())
  }

  crash(fate: Fate, power: boolean): void {
    const { world, replica } = this
    if (replica === undefined) return
    world.trace(() => `${this.id} dies${power ? ', without power' : ''}; its write is ${fate}`)
    // Whoever waits will hear nothing, and time out.
    replica.isAlive = false
    this.replica = undefined
    this.#process++
    this.disk.crash(fate, (count) => randomBelow(world.random, count + 1))
    if (power) this.machine.losePower()
    world.onCrash(this.id)
  }

  /** `settle` is called at most once. */
  write(json: string, settle: (result: ProposalResult) => void): void {
    this.run((replica) => replica.write(json, settle))
  }

  /** `settle` is called at most once, with true when the state may be read. */
  read(settle: (isHeld: boolean) => void): void {
    // Reads are served by another thread: one that need not ask does not wait for this one.
    if (this.replica?.isAlone === true) return this.replica.read(settle)
    this.run((replica) => replica.read(settle))
  }

  connectionLost(peer: NodeId): void {
    this.run((replica) => replica.connectionLost(peer))
  }

  /** As a thread of its own would: the copy is of now, the file is finished later. */
  makeSnapshot(): void {
    const { driver, machine, world } = this
    if (driver === undefined || this.#isMakingSnapshot) return
    const meta = driver.raft.snapshotMeta()
    if (meta === undefined || meta.index <= (this.disk.snapshot()?.index ?? 0)) return
    this.#isMakingSnapshot = true
    const image = machine.copy()
    this.ledger.onSnapshot(this, machine.shown(image))
    const finish = () => {
      this.#isMakingSnapshot = false
      machine.files.set(meta.index, image)
      driver.saveSnapshot(meta)
      const to = meta.index - world.options.trailing
      const evenIfNeeded = world.options.isPatient ? 0 : to
      driver.compact({ to, durableApplied: machine.checkpointIndex, evenIfNeeded })
      world.trace(() => `${this.id} has made a snapshot at ${meta.index}`)
    }
    this.later(1 + world.random() * 100, () => this.run(finish))
  }

  /** Its promises have done what was due. */
  afterPromises(): void {
    if (this.driver !== undefined) this.#guard(() => {}, false)
  }

  /** Not at all once this process has ended. */
  later(delayMs: number, run: () => void): void {
    this.#later(delayMs, run, false)
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.ledger.onSend(this, message)
      this.world.trace(() => `  sends ${printMessage(message)}`)
      this.world.network.send(message)
      this.world.onSent(this, message)
    }
  }

  /** What a process may die of ends only this process; anything else ends the run. */
  fail(error: unknown): void {
    if (error instanceof DiskError) this.world.onDiskError(this, error)
    else if (error instanceof InvariantError) throw new Violation(`${this.id}: ${error.message}`)
    else throw error
  }

  #scheduleTick(): void {
    this.later(this.#tickMs, () => {
      this.#scheduleTick()
      if (!this.isStill) this.#guard(() => this.#tick(), false)
    })
  }

  #tick(): void {
    const elapsedMs = this.world.nowMs - this.#lastTickMs + 1e-6
    const { electionTicks } = this.world.options.limits
    const due = ticksDue({ elapsedMs, tickMs: this.#tickMs, electionTicks })
    this.#lastTickMs = this.world.nowMs
    this.replica?.tick(due)
    const before = this.#ticks
    this.#ticks += due
    this.#checkQuorum()
    const isDuty = Math.floor(before / ticksPerDuty) < Math.floor(this.#ticks / ticksPerDuty)
    if (isDuty) this.replica?.greet()
    if (isDuty && this.world.options.promotes) this.replica?.checkDuties()
  }

  /** An answer to what this server sent as leader. */
  heard(from: NodeId): void {
    this.#heardTick.set(from, this.#ticks)
  }

  /** Where this leader's log ended some election time-outs ago. */
  get oldTail(): Index {
    return this.#tails[0] ?? 0
  }

  /** Thesis §6.2: a leader that hears no quorum of the voters for an election time-out steps down. */
  #checkQuorum(): void {
    const { driver } = this
    if (driver?.raft.state.role !== 'leader') {
      this.#ledConfig = undefined
      this.#tails = []
      return
    }
    const { config, id, transferee, log, options, termStart } = driver.raft.state
    const { electionTicks } = options.limits
    if (this.#tails.length === 0) this.#tails.push(termStart - 1)
    this.#tails.push(log.lastIndex)
    if (this.#tails.length > 3 * electionTicks) this.#tails.shift()
    const isHeardAt = (tick: number): boolean =>
      hasQuorum(
        config,
        (voter) => voter === id || (this.#heardTick.get(voter) ?? -1) >= tick - electionTicks,
      )
    if (config !== this.#ledConfig || transferee !== undefined) this.#quorumTick = this.#ticks
    // After a stall several ticks come at once, and it may have been heard at some of them.
    while (this.#quorumTick < this.#ticks && isHeardAt(this.#quorumTick + 1)) this.#quorumTick++
    this.#ledConfig = config
    const quietTicks = this.#ticks - this.#quorumTick
    check(
      quietTicks <= electionTicks + 3,
      `${id} leads, and hears no quorum for ${quietTicks} ticks`,
    )
  }

  #drain(): void {
    while (!this.isStill && this.replica !== undefined) {
      const input = this.#inbox.shift()
      if (input === undefined) return
      this.#guard(input)
    }
  }

  #later(delayMs: number, run: () => void, isDisk: boolean): void {
    const process = this.#process
    this.world.after(delayMs, () => {
      if (process !== this.#process) return
      if (!isDisk) return run()
      this.#guard(run)
      this.#drain()
    })
  }

  /** Runs an input and a turn after it. */
  #guard(input: () => void, isTurnDue = true): void {
    try {
      input()
      if (isTurnDue) this.server?.turn()
      if (this.driver !== undefined) this.ledger.onEvent(this)
    } catch (error) {
      this.fail(error)
    }
    if (this.replica?.isBusy === true) this.world.stir(this)
    if (this.driver !== undefined) this.#maybeSnapshot()
  }

  #maybeSnapshot(): void {
    const { snapshotEvery } = this.world.options
    if (this.machine.appliedIndex() - (this.disk.snapshot()?.index ?? 0) >= snapshotEvery) {
      this.makeSnapshot()
    }
  }

  #onRestored(shown: Shown, snapshot: SnapshotMeta): void {
    const { index } = shown
    this.world.trace(() => `${this.id} restores the snapshot at ${index}`)
    this.ledger.onRestored(this, shown, snapshot)
    this.marks.applied = index
    this.server?.proposals.onRestored(index)
  }
}

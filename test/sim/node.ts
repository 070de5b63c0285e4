import { InvariantError, must } from '../../src/base/assert.ts'
import { randomBelow } from '../../src/base/random.ts'
import { boot } from '../../src/raft/driver.ts'
import type { Driver } from '../../src/raft/driver.ts'
import type { Entry, Index, NodeId, Term } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import type { ReadState } from '../../src/raft/read-queue.ts'
import type { SnapshotMeta } from '../../src/raft/storage.ts'
import { ticksDue } from '../../src/raft/ticks.ts'
import { printMessage } from '../raft/script.ts'
import { DiskError, SimDisk } from './disk.ts'
import type { Fate } from './disk.ts'
import { check, freshMarks, Violation } from './ledger.ts'
import type { Ledger, Server } from './ledger.ts'
import { copyState, SimMachine } from './machine.ts'
import type { MachineState } from './machine.ts'
import type { Surroundings } from './surroundings.ts'

const tickMs = 50

type Waiting = (outcome: { kind: 'done'; result: number | boolean } | { kind: 'lost' }) => void

/** A defect put into every server of a run; see mutants.ts. */
export interface Mutant {
  readonly name: string
  /** Which rule it breaks. */
  readonly about: string
  readonly beforeBoot?: (node: SimNode) => void
  readonly afterBoot?: (node: SimNode) => void
}

/** What a server sees of the world. */
export interface NodeWorld extends Surroundings {
  readonly ledger: Ledger
  readonly mutant: Mutant | undefined
  readonly network: { send(message: Message): void }
  onCrash(id: NodeId): void
  onDiskError(node: SimNode, error: DiskError): void
  /** A message has left; the process may die right behind it. */
  onSent(node: SimNode, message: Message): void
}

/** One server: its disks outlive its processes. */
export class SimNode implements Server {
  readonly id: NodeId
  readonly world: NodeWorld
  readonly disk: SimDisk
  readonly machine: SimMachine
  driver: Driver | undefined
  /** What the ledger has seen of this server. */
  marks = freshMarks()
  /** A process, once ended, does nothing more: what it had scheduled finds a higher number. */
  #process = 0
  #pausedUntilMs = 0
  #inbox: (() => void)[] = []
  #lastTickMs = 0
  readonly #tickMs: number
  readonly #proposals = new Map<Index, { term: Term; settle: Waiting }>()
  readonly #reads = new Map<number, { committed: Index; settle: (isReady: boolean) => void }>()
  #nextRead = 0
  #isMakingSnapshot = false

  constructor(world: NodeWorld, id: NodeId) {
    const { options, random } = world
    this.id = id
    this.world = world
    this.#tickMs = tickMs * (1 + (random() - 0.5) * 2 * options.driftRate)
    this.disk = new SimDisk({
      mode: options.disk,
      latencyMs: () => -Math.log(1 - random()) * options.diskMs,
      later: (delayMs, run) => this.#later(delayMs, run, true),
      onCommit: (_disk, write) => world.ledger.onDiskWrite(this.disk, write),
    })
    const events = {
      onApplied: (entry: Entry, state: MachineState, result: number | boolean | undefined) =>
        this.#onApplied(entry, state, result),
      onRestored: (state: MachineState, snapshot: SnapshotMeta) =>
        this.#onRestored(state, snapshot),
    }
    this.machine = new SimMachine(events, options.checkpointEvery)
  }

  get isUp(): boolean {
    return this.driver !== undefined
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
    this.#process++
    this.#lastTickMs = world.nowMs
    this.#inbox = []
    this.#pausedUntilMs = 0
    this.#isMakingSnapshot = false
    world.mutant?.beforeBoot?.(this)
    this.marks.applied = this.machine.appliedIndex()
    this.driver = boot(
      {
        id: this.id,
        random: world.random,
        limits: world.options.limits,
        preVote: true,
        checkQuorum: true,
      },
      {
        store: this.disk,
        machine: this.machine,
        transport: { send: (messages) => this.#send(messages) },
        onRead: (read) => this.#onRead(read),
      },
    )
    world.mutant?.afterBoot?.(this)
    const { state } = this.driver.raft
    this.marks.term = state.term
    this.marks.commit = Math.min(state.log.commit, world.ledger.commitIndex)
    world.trace(() => `${this.id} starts, term ${state.term}, log ${state.log.lastIndex}`)
    // Servers do not tick in step.
    this.#later(world.random() * this.#tickMs, () => this.#scheduleTick(), false)
    this.act(() => {})
  }

  /** An input to the server, as soon as it is not standing still; lost when its process ends. */
  act(input: (driver: Driver) => void): void {
    if (this.driver === undefined) return
    const { driver } = this
    if (this.isStill) this.#inbox.push(() => input(driver))
    else this.#guard(() => input(driver))
  }

  pause(forMs: number): void {
    if (!this.isUp) return
    this.#pausedUntilMs = this.world.nowMs + forMs
    this.#later(forMs, () => this.#drain(), false)
  }

  crash(fate: Fate, power: boolean): void {
    if (this.driver === undefined) return
    const { world } = this
    world.trace(() => `${this.id} dies${power ? ', without power' : ''}; its write is ${fate}`)
    this.driver = undefined
    this.#process++
    this.disk.crash(fate, (count) => randomBelow(world.random, count + 1))
    if (power) this.machine.losePower()
    // Whoever waits will hear nothing, and time out.
    this.#proposals.clear()
    this.#reads.clear()
    world.onCrash(this.id)
  }

  /** `settle` is called at most once; not at all when the proposal is refused. */
  propose(data: Uint8Array, settle: Waiting): { isAccepted: boolean; leader: NodeId | undefined } {
    const { raft } = must(this.driver)
    const result = raft.propose([data])
    if (result.kind === 'accepted') {
      this.#proposals.set(result.firstIndex, { term: result.term, settle })
      return { isAccepted: true, leader: this.id }
    }
    return { isAccepted: false, leader: result.kind === 'not-leader' ? result.leader : undefined }
  }

  read(settle: (isReady: boolean) => void): boolean {
    const id = this.#nextRead++
    this.#reads.set(id, { committed: this.world.ledger.commitIndex, settle })
    if (must(this.driver).raft.readIndex(id).kind === 'pending') return true
    this.#reads.delete(id)
    return false
  }

  /** As a thread of its own would: the copy is of now, the file is finished later. */
  makeSnapshot(): void {
    if (this.driver === undefined || this.#isMakingSnapshot) return
    const { driver, machine, world } = this
    const meta = driver.raft.snapshotMeta()
    if (meta === undefined || meta.index <= (this.disk.snapshot()?.index ?? 0)) return
    this.#isMakingSnapshot = true
    const state = copyState(machine.state)
    world.ledger.onSnapshot(this, state)
    const finish = () => {
      this.#isMakingSnapshot = false
      machine.files.set(meta.index, state)
      driver.saveSnapshot(meta)
      const to = meta.index - world.options.trailing
      const evenIfNeeded = world.options.isPatient ? 0 : to
      driver.compact({ to, durableApplied: machine.checkpoint.index, evenIfNeeded })
      world.trace(() => `${this.id} has made a snapshot at ${meta.index}`)
    }
    this.#later(1 + world.random() * 100, () => this.act(finish), false)
  }

  #scheduleTick(): void {
    this.#later(
      this.#tickMs,
      () => {
        this.#scheduleTick()
        if (!this.isStill) this.#guard(() => this.#tick())
      },
      false,
    )
  }

  #tick(): void {
    const elapsedMs = this.world.nowMs - this.#lastTickMs + 1e-6
    const { electionTicks } = this.world.options.limits
    const due = ticksDue({ elapsedMs, tickMs: this.#tickMs, electionTicks })
    this.#lastTickMs = this.world.nowMs
    for (let done = 0; done < due; done++) this.driver?.raft.tick()
  }

  #drain(): void {
    while (!this.isStill && this.driver !== undefined) {
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

  /** Runs an input and the driver after it; what a process may die of ends only this process. */
  #guard(input: () => void): void {
    try {
      input()
      this.driver?.run()
      if (this.driver !== undefined) this.world.ledger.onEvent(this)
    } catch (error) {
      if (error instanceof DiskError) this.world.onDiskError(this, error)
      else if (error instanceof InvariantError) throw new Violation(`${this.id}: ${error.message}`)
      else throw error
    }
    if (this.driver !== undefined) this.#maybeSnapshot()
  }

  #maybeSnapshot(): void {
    const { snapshotEvery } = this.world.options
    if (this.machine.appliedIndex() - (this.disk.snapshot()?.index ?? 0) >= snapshotEvery) {
      this.makeSnapshot()
    }
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.world.ledger.onSend(this, message)
      this.world.trace(() => `  sends ${printMessage(message)}`)
      this.world.network.send(message)
      this.world.onSent(this, message)
    }
  }

  #onApplied(entry: Entry, state: MachineState, result: number | boolean | undefined): void {
    this.world.ledger.onApplied(this, entry, state)
    const waiting = this.#proposals.get(entry.index)
    if (waiting === undefined) return
    this.#proposals.delete(entry.index)
    const isOurs = waiting.term === entry.term && result !== undefined
    waiting.settle(isOurs ? { kind: 'done', result } : { kind: 'lost' })
  }

  #onRestored(state: MachineState, snapshot: SnapshotMeta): void {
    this.world.trace(() => `${this.id} restores the snapshot at ${state.index}`)
    this.world.ledger.onRestored(this, state, snapshot)
    this.marks.applied = state.index
  }

  #onRead(read: ReadState): void {
    const asked = this.#reads.get(read.requestId)
    this.#reads.delete(read.requestId)
    if (asked === undefined) return
    if (read.kind === 'ready') {
      // §8: whatever was committed when the read was asked for, by whichever leader, it sees.
      check(read.index >= asked.committed, `${this.id} confirms a read at ${read.index}: stale`)
      check(this.machine.appliedIndex() >= read.index, `${this.id} serves a read too early`)
    }
    asked.settle(read.kind === 'ready')
  }
}

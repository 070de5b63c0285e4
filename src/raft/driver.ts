import { assert } from '../base/assert.ts'
import { encodeConfig } from './config.ts'
import type { Config } from './config.ts'
import type { Entry, Index } from './entry.ts'
import type { Message } from './message.ts'
import type { RaftOptions } from './options.ts'
import { Raft } from './raft.ts'
import type { Ready } from './raft.ts'
import type { ReadState } from './read-queue.ts'
import type { LogState, LogStore, LogWrite, SnapshotMeta, StateMachine } from './storage.ts'

/** Sends without waiting and without a promise: messages that cannot be sent are dropped. */
export interface Transport {
  send(messages: readonly Message[]): void
}

/** What a driver works on. An error that any of them throws must end the process. */
export interface DriverParts {
  readonly store: LogStore
  readonly machine: StateMachine
  readonly transport: Transport
  /** A read may be served from the state machine now, or must be asked again. */
  readonly onRead: (read: ReadState) => void
}

/**
 * The loop around the core: persist → send → apply → advance. `run` is called after every input to
 * the core, or many of them; all inputs until then share one write.
 *
 * It makes no I/O itself. The simulator runs this very loop over a faulty disk and network.
 */
export class Driver {
  readonly raft: Raft
  readonly #parts: DriverParts
  #isRunning = false
  /** Confirmed, and waiting for their index to be applied. */
  #reads: Extract<ReadState, { kind: 'ready' }>[] = []

  constructor(raft: Raft, parts: DriverParts) {
    this.raft = raft
    this.#parts = parts
  }

  /** Does all that the core has ready. */
  run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let ready = this.raft.ready(); ready !== undefined; ready = this.raft.ready()) {
      this.process(ready)
    }
    this.#isRunning = false
  }

  process(ready: Ready): void {
    // First what needs no disk: the network is at work while the disk is (thesis §10.2.1).
    this.#parts.transport.send(ready.messages)
    if (ready.write !== undefined) this.persist(ready.write, ready.messagesAfterWrite)
    this.#apply(ready)
    this.raft.advance()
  }

  /** Nothing of `messages` leaves before `write` is durable. */
  persist(write: LogWrite, messages: readonly Message[]): void {
    const { store, machine, transport } = this.#parts
    store.write(write, () => {
      // In the log first: a restart in between restores the snapshot again (see `boot`).
      if (write.snapshot !== undefined) machine.restore(write.snapshot)
      this.raft.persisted()
      if (write.snapshot !== undefined) this.raft.applied(write.snapshot.index)
      transport.send(messages)
      this.run()
    })
  }

  /** Note, once it is durable, a snapshot that `raft.snapshotMeta` described. */
  saveSnapshot(meta: SnapshotMeta): void {
    const { store } = this.#parts
    // A newer one may have been received while this one was made.
    if (meta.index > (store.snapshot()?.index ?? 0)) store.saveSnapshot(meta)
  }

  /**
   * Drops the log up to `to`, but nothing behind the newest snapshot, nor behind `durableApplied`, up
   * to where the state machine will be after a loss of power. What a live peer still needs stays as
   * well, unless it lies before `evenIfNeeded`: a slow peer must not make the log grow without bound.
   */
  compact(limits: { to: Index; durableApplied: Index; evenIfNeeded?: Index }): void {
    const { store } = this.#parts
    const needed = Math.max(this.raft.neededFrom() - 1, limits.evenIfNeeded ?? 0)
    const to = Math.min(limits.to, limits.durableApplied, store.snapshot()?.index ?? 0, needed)
    if (to < this.raft.state.log.firstIndex) return
    store.compact(to)
    this.raft.compacted(to)
  }

  #apply({ committed, reads }: Ready): void {
    const { machine, onRead } = this.#parts
    const last = committed.at(-1)
    if (last !== undefined) {
      machine.apply(committed)
      this.raft.applied(last.index)
    }
    for (const read of reads) {
      if (read.kind === 'ready') this.#reads.push(read)
      else onRead(read)
    }
    if (this.#reads.length === 0) return
    const { applied } = this.raft.state.log
    const due = this.#reads.filter((read) => read.index <= applied)
    this.#reads = this.#reads.filter((read) => read.index > applied)
    for (const read of due) onRead(read)
  }
}

/**
 * The first write of each server of a new cluster: all of them begin with the same entry. Undefined
 * when `state` holds anything: a server that has been a member must not begin another cluster.
 */
export function bootstrapWrite(state: LogState, config: Config): LogWrite | undefined {
  const { hardState, lastIndex, snapshot } = state
  if (hardState.term > 0 || lastIndex > 0 || snapshot !== undefined) return undefined
  const first: Entry = { index: 1, term: 1, kind: 'config', data: encodeConfig(config) }
  const nothing = { snapshot: undefined, truncateFrom: undefined }
  return { hardState: { term: 1, vote: undefined, commit: 1 }, ...nothing, entries: [first] }
}

/** Opens a server on what its disk holds. */
export function boot(options: RaftOptions, parts: DriverParts): Driver {
  const { store, machine } = parts
  const { snapshot, base } = store.state()
  // Received, but not installed before the process ended; or the state has lost what was not synced.
  if (snapshot !== undefined && machine.appliedIndex() < snapshot.index) machine.restore(snapshot)
  assert(machine.appliedIndex() >= base.index, 'the log holds all that the state machine lacks')
  return new Driver(new Raft(options, store, machine.appliedIndex()), parts)
}

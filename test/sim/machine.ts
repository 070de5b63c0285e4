import { must } from '../../src/base/assert.ts'
import type { Entry, Index } from '../../src/raft/entry.ts'
import type { SnapshotMeta, StateMachine } from '../../src/raft/storage.ts'
import { applyOp } from './history.ts'
import type { Op } from './history.ts'

/** What a client puts into the log. A repeated `sequence` of a session is answered, not done again. */
export interface SimCommand {
  readonly session: number
  readonly sequence: number
  readonly key: string
  readonly op: Op
}

/** The state: registers, the answered requests, and a hash of everything applied. */
export interface MachineState {
  index: Index
  chain: number
  readonly registers: Map<string, number>
  readonly sessions: Map<number, { sequence: number; result: number | boolean }>
}

const decoded = new WeakMap<Uint8Array, SimCommand>()

export function encodeCommand(command: SimCommand): Uint8Array {
  const data = new TextEncoder().encode(JSON.stringify(command))
  decoded.set(data, command)
  return data
}

/** The simulated network does not copy, so the bytes are decoded once for all servers. */
export function decodeCommand(data: Uint8Array): SimCommand {
  return must(decoded.get(data), 'a command of this run')
}

export function commandName({ session, sequence }: { session: number; sequence: number }): string {
  return `${session}:${sequence}`
}

export function emptyState(): MachineState {
  return { index: 0, chain: 0, registers: new Map(), sessions: new Map() }
}

export function copyState(state: MachineState): MachineState {
  const { index, chain, registers, sessions } = state
  return { index, chain, registers: new Map(registers), sessions: new Map(sessions) }
}

/** A number that differs when the contents do, whatever the order in which they came. */
export function digest(state: MachineState): number {
  let sum = state.chain
  for (const [key, value] of state.registers)
    sum = (sum + Math.imul(hashText(key), value | 1)) >>> 0
  for (const [session, { sequence, result }] of state.sessions) {
    sum = (sum + Math.imul(session + 1, 0x9e3779b1) + Math.imul(sequence, Number(result) | 1)) >>> 0
  }
  return sum
}

function hashText(text: string): number {
  let hash = 7
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash, 31) + text.charCodeAt(at)
  return hash | 1
}

export interface MachineEvents {
  onApplied(entry: Entry, state: MachineState, result: number | boolean | undefined): void
  onRestored(state: MachineState, snapshot: SnapshotMeta): void
}

/**
 * A state machine as the catalog is one: `appliedIndex` changes in the transaction of the batch, a
 * killed process loses nothing, and a loss of power goes back to the last checkpoint.
 */
export class SimMachine implements StateMachine {
  state = emptyState()
  /** What is synced. */
  checkpoint = emptyState()
  /** Finished snapshot files, made here or received, by their index. */
  readonly files = new Map<Index, MachineState>()
  readonly #events: MachineEvents
  readonly #checkpointEvery: number

  constructor(events: MachineEvents, checkpointEvery: number) {
    this.#events = events
    this.#checkpointEvery = checkpointEvery
  }

  appliedIndex(): Index {
    return this.state.index
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const result = this.applyEntry(entry)
      this.#events.onApplied(entry, this.state, result)
    }
    if (this.state.index - this.checkpoint.index >= this.#checkpointEvery) {
      this.checkpoint = copyState(this.state)
    }
  }

  applyEntry(entry: Entry): number | boolean | undefined {
    const { state } = this
    state.index = entry.index
    state.chain = (Math.imul(state.chain, 31) + entry.index * 7 + entry.term) >>> 0
    if (entry.kind !== 'command') return undefined
    const command = decodeCommand(entry.data)
    const session = state.sessions.get(command.session)
    if (session !== undefined && session.sequence >= command.sequence) return session.result
    const { state: next, result } = applyOp(state.registers.get(command.key) ?? 0, command.op)
    state.registers.set(command.key, next)
    state.sessions.set(command.session, { sequence: command.sequence, result })
    state.chain = (state.chain + Math.imul(next, 0x85ebca6b)) >>> 0
    return result
  }

  /** As a synced transaction: the old state is gone, on the disk as well. */
  restore(snapshot: SnapshotMeta): void {
    const file = must(this.files.get(snapshot.index), `the file of snapshot ${snapshot.index}`)
    this.state = copyState(file)
    this.checkpoint = copyState(file)
    this.#events.onRestored(this.state, snapshot)
  }

  losePower(): void {
    this.state = copyState(this.checkpoint)
  }
}

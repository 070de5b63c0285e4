import { assert, must } from '../../src/base/assert.ts'
import { decodeCommand as decodeCatalogCommand } from '../../src/state/families.ts'
import type { UpdateCheckCommand } from '../../src/state/catalog/commands.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import type { Entry, Index } from '../../src/raft/entry.ts'
import type { SnapshotMeta } from '../../src/raft/storage.ts'
import { applyOp } from './history.ts'
import type { Op } from './history.ts'
import type { MachineEvents, NodeMachine, Shown } from './node-machine.ts'

/** What a client asks for. A command whose request id was applied already is answered, not done again. */
export interface SimCommand {
  readonly requestId: string
  /** Of the leader that put it into the log. */
  readonly timeMs: number
  readonly key: string
  readonly op: Op
}

/** As a proposal of the catalog, so that it passes what looks at one on the way. */
export function encodeProposal(requestId: string, key: string, op: Op): string {
  const body: UpdateCheckCommand = {
    kind: 'update-check',
    nodeName: key,
    checkId: 'op',
    status: 'passing',
    output: JSON.stringify(op),
  }
  return JSON.stringify({ version: 1, requestId, actor: 'sim', cause: 'sim', body })
}

/** Of a proposal as {@link encodeProposal} writes it. */
export function requestIdOf(json: string): string {
  const start = json.indexOf('"requestId":"') + '"requestId":"'.length
  return json.slice(start, json.indexOf('"', start))
}

/** What the catalog answers, and what the operation came to. */
export type SimOutcome = Outcome & { readonly result: number | boolean }

interface Request {
  readonly index: Index
  readonly timeMs: number
  readonly result: number | boolean
}

/** The state: registers, the requests that it remembers, and a hash of everything applied. */
export interface MachineState {
  index: Index
  chain: number
  readonly registers: Map<string, number>
  /** By request id, in the order of their indexes. */
  readonly requests: Map<string, Request>
  /** Of the hashes of what is remembered, kept with each change. */
  requestSum: number
}

/** How long a request is remembered: as the catalog does, but for less, so that a run gets there. */
export interface Memory {
  /** At least so many entries and so long by the log's own time … */
  readonly entries: number
  readonly ms: number
  /** … but never for more entries than this. */
  readonly entriesMax: number
  /** Forgotten at fixed entries of the log, since replicas batch it differently. */
  readonly every: number
}

const noRequest = { requestId: '' }
const decoded = new WeakMap<Uint8Array, SimCommand>()

/** The simulated network does not copy, so the bytes are decoded once for all servers. */
export function decodeCommand(data: Uint8Array): SimCommand {
  const known = decoded.get(data)
  if (known !== undefined) return known
  const { requestId, timeMs, body } = decodeCatalogCommand(data)
  const { nodeName: key, output } = body as UpdateCheckCommand
  const command = { requestId, timeMs, key, op: JSON.parse(output) as Op }
  decoded.set(data, command)
  return command
}

export function emptyState(): MachineState {
  return { index: 0, chain: 0, registers: new Map(), requests: new Map(), requestSum: 0 }
}

export function copyState(state: MachineState): MachineState {
  const { registers, requests } = state
  return { ...state, registers: new Map(registers), requests: new Map(requests) }
}

/** A number that differs when the contents do, whatever the order in which they came. */
export function digest(state: MachineState): number {
  let sum = (state.chain + state.requestSum) >>> 0
  for (const [key, value] of state.registers)
    sum = (sum + Math.imul(hashText(key), value | 1)) >>> 0
  return sum
}

/** The same, all of it counted again. */
export function fullDigest(state: MachineState): number {
  let requestSum = 0
  for (const [id, request] of state.requests)
    requestSum = (requestSum + hashRequest(id, request)) >>> 0
  return digest({ ...state, requestSum })
}

function hashRequest(id: string, { index, result }: Request): number {
  return (Math.imul(hashText(id), 0x9e3779b1) + Math.imul(index, Number(result) | 1)) >>> 0
}

function hashText(text: string): number {
  let hash = 7
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash, 31) + text.charCodeAt(at)
  return hash | 1
}

/**
 * A state machine as the catalog is one: `appliedIndex` changes in the transaction of the batch, a
 * killed process loses nothing, and a loss of power goes back to the last checkpoint.
 */
export class SimMachine implements NodeMachine {
  state = emptyState()
  /** What is synced. */
  checkpoint = emptyState()
  /** Finished snapshot files, made here or received, by their index. */
  readonly files = new Map<Index, MachineState>()
  readonly #events: MachineEvents
  readonly #checkpointEvery: number
  readonly #losesPower: boolean
  memory: Memory

  constructor(
    events: MachineEvents,
    options: { checkpointEvery: number; memory: Memory; faults: ReadonlySet<string> },
  ) {
    this.#events = events
    this.#checkpointEvery = options.checkpointEvery
    this.#losesPower = options.faults.has('power-loss')
    this.memory = options.memory
  }

  appliedIndex(): Index {
    return this.state.index
  }

  get checkpointIndex(): Index {
    return this.checkpoint.index
  }

  /** Nothing is kept in a process. */
  start(): void {}

  copy(): MachineState {
    return copyState(this.state)
  }

  shown(state: MachineState): Shown {
    return { index: state.index, chain: state.chain, digest: () => fullDigest(state) }
  }

  apply(entries: readonly Entry[]): void {
    const outcomes = entries.map((entry) => {
      const outcome = this.applyEntry(entry)
      const { index, chain } = this.state
      const shown = { index, chain, digest: () => digest(this.state) }
      const { requestId } = outcome === undefined ? noRequest : decodeCommand(entry.data)
      this.#events.onEntry(entry, shown, outcome && { requestId, outcome })
      return outcome
    })
    for (const [at, entry] of entries.entries()) this.#events.onApplied(entry, outcomes[at])
    if (this.state.index - this.checkpoint.index >= this.#checkpointEvery) {
      // Its contents matter only where power is lost.
      this.checkpoint = this.#losesPower
        ? copyState(this.state)
        : { ...emptyState(), index: this.state.index }
    }
  }

  applyEntry(entry: Entry): SimOutcome | undefined {
    const { state } = this
    const { index } = entry
    state.index = index
    state.chain = (Math.imul(state.chain, 31) + index * 7 + entry.term) >>> 0
    if (entry.kind !== 'command') return undefined
    const command = decodeCommand(entry.data)
    if (index % this.memory.every === 0) this.#forget(index, command.timeMs)
    const known = state.requests.get(command.requestId)
    if (known !== undefined) return { ok: true, index: known.index, result: known.result }
    const { state: next, result } = applyOp(state.registers.get(command.key) ?? 0, command.op)
    state.registers.set(command.key, next)
    const request = { index, timeMs: command.timeMs, result }
    state.requests.set(command.requestId, request)
    state.requestSum = (state.requestSum + hashRequest(command.requestId, request)) >>> 0
    state.chain = (state.chain + Math.imul(next, 0x85ebca6b)) >>> 0
    return { ok: true, index, result }
  }

  #forget(index: Index, timeMs: number): void {
    const { entries, ms, entriesMax } = this.memory
    for (const [id, request] of this.state.requests) {
      const isOld = request.index <= index - entries && request.timeMs < timeMs - ms
      if (!isOld && request.index > index - entriesMax) return
      this.forget(id)
    }
  }

  forget(id: string): void {
    const { state } = this
    const request = must(state.requests.get(id))
    state.requests.delete(id)
    state.requestSum = (state.requestSum - hashRequest(id, request)) >>> 0
  }

  /** As a synced transaction: the old state is gone, on the disk as well. */
  restore(snapshot: SnapshotMeta): void {
    const file = must(this.files.get(snapshot.index), `the file of snapshot ${snapshot.index}`)
    this.state = copyState(file)
    this.checkpoint = copyState(file)
    this.#events.onRestored(this.shown(this.state), snapshot)
  }

  losePower(): void {
    this.state = copyState(this.checkpoint)
  }
}

/** Of a server that applies its log to registers. */
export function machineOf({ machine }: { readonly machine: NodeMachine }): SimMachine {
  assert(machine instanceof SimMachine, 'the clients of this run use registers')
  return machine
}

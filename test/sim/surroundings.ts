import type { Random } from '../../src/base/random.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import type { SimOptions } from './options.ts'

/** What every part of a simulation has to do with: chance, time, and the trace. */
export interface Surroundings {
  readonly options: SimOptions
  readonly random: Random
  readonly nowMs: number
  /** False once only the lasting fault is left. */
  readonly isFaulty: boolean
  after(delayMs: number, run: () => void): void
  /** Called only when the run is traced. */
  trace(line: () => string): void
}

/** What a process of one of the servers, each a `Host`, sees of the world. */
export interface HostWorld<Host> extends Surroundings {
  readonly nodes: ReadonlyMap<NodeId, Host>
  readonly network: {
    reset(a: NodeId, b: NodeId): void
    dial(from: NodeId, to: NodeId, then: () => void): void
    carry(way: { from: NodeId; to: NodeId }, deliver: () => void, broken: () => void): void
  }
  stir(node: Host): void
  abort(error: unknown): void
  newClusterId(): string
  newRequestId(): string
  crashSoon(node: Host): void
  onAcknowledged?(node: Host): void
  onLearned?(node: Host): void
}

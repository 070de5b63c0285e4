import type { AnyMetric } from '../base/metric.ts'

/** Facts and figures in groups, all as text. */
export type Statistics = Readonly<Record<string, Readonly<Record<string, string>>>>

/** For the diagnosis of an agent; without secrets. */
export interface Diagnosis {
  readonly config: unknown
  readonly raft: unknown
  /** The last lines, oldest first. */
  readonly log: readonly string[]
  /** Memory, CPU, threads, what the event loop waits for. */
  readonly resources: unknown
}

/** What agent/host tells; null: this system does not tell it. */
export interface HostFacts {
  readonly memory: Readonly<Record<string, number>> | null
  readonly cpus: readonly object[]
  readonly host: object
  readonly disk: object | null
  readonly errors: readonly string[]
}

/** What a node reports about itself. */
export interface Facts {
  /** What the node counts and measures, as it is now. */
  metrics(): readonly AnyMetric[]
  /** What the agent knows of Raft and of its process, for people. */
  statistics(): Statistics
  diagnosis(): Diagnosis
  /** The machine that this agent runs on. */
  host(): HostFacts
}

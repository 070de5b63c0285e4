import type { ClientWorld } from './client.ts'
import type { Ledger } from './ledger.ts'
import type { MachineEvents, NodeMachine } from './node-machine.ts'
import type { SimOptions } from './options.ts'

/** A client, or several that act as one. */
export interface WorkloadClient {
  begin(): void
  readonly isWaiting: boolean
}

/** What the clients of a run ask for, and what the log is applied to. */
export interface Workload {
  readonly operations: number
  /** How long the servers go on by themselves when all clients have ended. */
  readonly settleMs?: number
  machine(events: MachineEvents, options: SimOptions): NodeMachine
  client(world: ClientWorld, id: number): WorkloadClient
  /** A write that nobody waits for, as a proposal in JSON. */
  burst(requestId: string): string
  /** When all is over. Throws Violation. */
  judge(world: { readonly ledger: Ledger }): void
}

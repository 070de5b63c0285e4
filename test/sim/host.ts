import type { Index, NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import type { SimDisk } from './disk.ts'
import type { Ledger } from './ledger.ts'
import type { NodeMachine } from './node-machine.ts'
import type { HostWorld } from './surroundings.ts'

/** The server whose process this is, as far as it needs to know it (node.ts). */
export interface Host<Replica> {
  readonly id: NodeId
  readonly expect: number
  readonly knows: readonly NodeId[]
  readonly disk: SimDisk
  readonly machine: NodeMachine
  readonly ledger: Ledger
  readonly marks: { applied: Index }
  readonly oldTail: Index
  readonly replica: Replica | undefined
  readonly world: HostWorld<Host<Replica>>
  later(delayMs: number, run: () => void): void
  fail(error: unknown): void
  onBegun(): void
  send(messages: readonly Message[]): void
  turn(): void
}

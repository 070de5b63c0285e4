import { Client } from './client.ts'
import type { ClientWorld } from './client.ts'
import { History, registerModel } from './history.ts'
import type { Operation } from './history.ts'
import { check } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import { checkHistory } from './linearizability.ts'
import { encodeProposal, SimMachine } from './machine.ts'
import type { SimOutcome } from './machine.ts'
import type { MachineEvents } from './node-machine.ts'
import type { SimOptions } from './options.ts'
import type { Workload } from './workload.ts'

/** Clients that append to registers, swap them and read them: the least that shows what Raft promises. */
export class Registers implements Workload {
  readonly history = new History()
  readonly lastSeen = new Map<string, number>()

  get operations(): number {
    return this.history.operations.length
  }

  machine(events: MachineEvents, options: SimOptions): SimMachine {
    return new SimMachine(events, options)
  }

  client(world: ClientWorld, id: number): Client {
    return new Client(world, this, id)
  }

  burst(requestId: string): string {
    return encodeProposal(requestId, 'burst', { kind: 'append', value: 1 })
  }

  judge({ ledger }: { readonly ledger: Ledger }): void {
    const operations = this.history.operations.flatMap((one) => settled(ledger, one))
    const verdict = checkHistory(operations, registerModel)
    check(verdict === 'linearizable', `the history is not linearizable (${verdict})`)
  }
}

/**
 * What a client never had an answer to: without an effect if no server applied it, and otherwise done
 * when the first one did, since every read that begins later must see it. An operation that stays
 * open for ever would double what the checker has to try.
 */
function settled(ledger: Ledger, operation: Operation): Operation[] {
  if (operation.returnedMs !== Infinity) return [operation]
  const applied = ledger.appliedCommands.get(operation.command)
  if (applied === undefined) return []
  const { result } = applied.outcome as SimOutcome
  return [{ ...operation, returnedMs: applied.atMs, result }]
}

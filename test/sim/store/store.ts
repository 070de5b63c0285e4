import { must } from '../../../src/base/assert.ts'
import type { Index } from '../../../src/raft/entry.ts'
import type { ClientWorld } from '../client.ts'
import { check } from '../ledger.ts'
import type { Ledger } from '../ledger.ts'
import type { MachineEvents } from '../node-machine.ts'
import { electionMsOf, optionsOf } from '../options.ts'
import type { SimOptions } from '../options.ts'
import type { Workload, WorkloadClient } from '../workload.ts'
import type { StoreWorld } from './attempts.ts'
import { KvClient, proposal } from './client.ts'
import type { StoreShared } from './client.ts'
import { checkKey, isSameStored } from './history.ts'
import type { KeyOperation, ReadRequest, WriteRequest } from './history.ts'
import { checkLocks } from './holds.ts'
import type { Hold, SessionUse } from './holds.ts'
import { Keys } from './keys.ts'
import { StoreMachine } from './machine.ts'
import type { StoreDefect } from './machine.ts'
import { delayMsMax, LockClient, silenceMsMax } from './lock-client.ts'
import { Twin } from './twin.ts'
import type { KeyWrite, SessionEnd } from './twin.ts'

/** After that time a leader proposes an end again that it has not seen; and how late it may look. */
const proposedAgainMs = 5000 + 1500

/** As {@link optionsOf}, with a cluster from the start and more that happens at once. */
export function storeOptionsOf(seed: number): SimOptions {
  const options = optionsOf(seed)
  const servers = Math.max(3, options.servers)
  const base = { servers, expect: servers, begins: 'founded', promotes: true } as const
  const { clients, faultsMs, checkpointEvery } = options
  // A checkpoint copies the whole database.
  const rest = { clients: 3 + clients, faultsMs: faultsMs * 0.75 }
  return { ...options, ...base, ...rest, checkpointEvery: Math.max(5, checkpointEvery) }
}

/** The product's own store, and clients that use it. */
export class Store implements Workload, StoreShared {
  readonly keys: Keys
  readonly reads: ReadRequest[] = []
  readonly writes: WriteRequest[] = []
  readonly uses: SessionUse[] = []
  readonly holds: Hold[] = []
  readonly lastSeen = new Map<string, string>()
  readonly settleMs: number
  readonly #options: SimOptions
  readonly #defect: StoreDefect

  constructor(options: SimOptions, defect: StoreDefect = {}) {
    this.keys = new Keys(options.keys)
    this.#options = options
    this.#defect = defect
    this.settleMs = silenceMsMax + delayMsMax + 2 * electionMsOf(options) + proposedAgainMs
  }

  get operations(): number {
    return this.reads.length + this.writes.length
  }

  machine(events: MachineEvents, options: SimOptions): StoreMachine {
    return new StoreMachine(events, options, this.#defect)
  }

  /** Two of three are programs with a session. */
  client(world: ClientWorld, id: number): WorkloadClient {
    const storeWorld = world as StoreWorld
    return id % 3 === 0 ? new KvClient(storeWorld, this, id) : new LockClient(storeWorld, this, id)
  }

  burst(requestId: string): string {
    return proposal(requestId, { kind: 'kv-put', key: 'burst', value: '', flags: '0' })
  }

  judge({ ledger }: { readonly ledger: Ledger }): void {
    const twin = new Twin()
    twin.apply(ledger.committed.slice(1))
    const { uses, holds } = this
    checkLocks({ uses, holds, options: this.#options, ledger, twin })
    const operations = [
      ...this.writes.flatMap((request) => this.#writesOf(request, ledger)),
      ...this.reads.flatMap((request) => this.#readsOf(request)),
      ...this.#endsOf(twin.ends, ledger),
    ]
    for (const key of this.keys.all) {
      const ofKey = operations.filter((operation) => operation.key === key)
      const verdict = checkKey(ofKey)
      check(verdict === 'linearizable', `the history of ${key} is not linearizable (${verdict})`)
    }
    for (const request of this.reads) checkPrefix(request, twin)
    checkOutcomes(ledger, twin)
  }

  /** What ends sessions is a write to each key that they may have locked. */
  #endsOf(ends: readonly SessionEnd[], ledger: Ledger): KeyOperation[] {
    const requests = new Map<string, SessionEnd[]>()
    for (const end of ends) {
      requests.set(end.requestId, [...(requests.get(end.requestId) ?? []), end])
    }
    return [...requests].flatMap(([requestId, together]) => {
      const { atMs, outcome } = must(ledger.appliedCommands.get(requestId))
      const behaviors = new Map(together.map(({ session }) => [session.id, session.behavior]))
      const rest = { at: outcome.index, invokedMs: 0, returnedMs: atMs }
      return this.keys.locks.map((key) => ({ ...rest, key, write: { kind: 'end', behaviors } }))
    })
  }

  /** A write to several keys is one to each of them. */
  #writesOf(request: WriteRequest, ledger: Ledger): KeyOperation[] {
    const { asked, invokedMs, answer } = request
    const applied = ledger.appliedCommands.get(request.id)
    if (applied === undefined) {
      check(answer === undefined, `${request.id} was answered, and nobody has applied it`)
      return []
    }
    const { outcome } = applied
    const { index } = outcome
    check(
      answer === undefined || answer.index === index,
      `${request.id}, which is entry ${index}, was answered with ${answer?.index}`,
    )
    // Without an answer it was done when the first server applied it: each read that begins later sees it.
    const returnedMs = answer === undefined ? applied.atMs : request.returnedMs
    const isDone = answer?.isDone ?? (outcome.ok && outcome.value === undefined)
    const rest = { at: index, invokedMs, returnedMs, isDone }
    return writesOf(asked, this.keys).map(([key, write]) => ({ ...rest, key, write }))
  }

  #readsOf({ asked, answer, invokedMs, returnedMs }: ReadRequest): KeyOperation[] {
    if (answer === undefined || asked.consistency === 'stale') return []
    const { rows, index } = answer
    const keys = asked.isTree ? this.keys.below(asked.key) : [asked.key]
    return keys.map((key) => {
      const stored = rows.find((row) => row.key === key)
      const read = { stored, ...(!asked.isTree && { index }) }
      return { key, invokedMs, returnedMs, read }
    })
  }
}

function writesOf(asked: WriteRequest['asked'], keys: Keys): [string, KeyWrite][] {
  switch (asked.kind) {
    case 'kv-put':
      return [[asked.key, { ...asked, kind: 'put', cas: asked.cas }]]
    case 'kv-delete':
      return [[asked.key, { kind: 'delete', cas: asked.cas }]]
    case 'kv-acquire':
      return [[asked.key, { ...asked, kind: 'acquire', mayLock: undefined }]]
    case 'kv-release':
      return [[asked.key, { ...asked, kind: 'release' }]]
    case 'kv-delete-tree':
      return keys.below(asked.prefix).map((key) => [key, { kind: 'delete', cas: undefined }])
  }
}

/** Each answer, a stale one as well, is what the log up to one committed entry gives: of all keys at once. */
function checkPrefix({ asked, answer }: ReadRequest, twin: Twin): void {
  if (answer === undefined) return
  const { rows, index, by, applied, committed } = answer
  const { key, isTree } = asked
  const what = `${by} answers a ${asked.consistency} read of ${key}${isTree ? '…' : ''}`
  check(applied <= committed, `${what} with ${applied}, of ${committed} committed`)
  const expected = expectedRows(twin, asked, applied)
  const isSame =
    rows.length === expected.length &&
    expected.every(([name, stored], at) => {
      return rows[at]?.key === name && isSameStored(rows[at], stored)
    })
  check(isSame, `${what} with other rows than entry ${applied} left: ${JSON.stringify(rows)}`)
  const changedAt = isTree ? twin.changedBelow(key, applied) : twin.changedAt(key, applied)
  check(
    index === Math.max(1, changedAt),
    `${what} with index ${index}, which changed at ${changedAt}`,
  )
}

function expectedRows(twin: Twin, { key, isTree }: ReadRequest['asked'], at: Index) {
  if (isTree) return twin.below(key, at)
  const stored = twin.at(key, at)
  return stored === undefined ? [] : [[key, stored] as const]
}

/** Each command came to what the contract says. */
function checkOutcomes(ledger: Ledger, twin: Twin): void {
  for (const [id, { outcome }] of ledger.appliedCommands) {
    const came = twin.came.get(id)
    const isSame =
      came !== undefined &&
      came.index === outcome.index &&
      came.ok === outcome.ok &&
      came.value === (outcome.ok ? outcome.value : outcome.error)
    check(isSame, `${id} came to ${JSON.stringify(outcome)}, and should to ${JSON.stringify(came)}`)
  }
}

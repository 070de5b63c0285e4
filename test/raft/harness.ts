import { must } from '../../src/base/assert.ts'
import { encodeConfig } from '../../src/raft/config.ts'
import { boot } from '../../src/raft/driver.ts'
import type { Driver } from '../../src/raft/driver.ts'
import type { ConfChange } from '../../src/raft/membership.ts'
import type { Entry, NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import { defaultLimits } from '../../src/raft/options.ts'
import type { RaftLimits, RaftOptions } from '../../src/raft/options.ts'
import type { Raft } from '../../src/raft/raft.ts'
import type { Role } from '../../src/raft/state.ts'
import type { LogWrite, SnapshotMeta, StateMachine } from '../../src/raft/storage.ts'
import { MemoryStore } from '../helpers/memory-store.ts'

export const testLimits: RaftLimits = { ...defaultLimits, electionTicks: 10, heartbeatTicks: 1 }

export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data)
}

export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function command(index: number, term: number, value = `${index}/${term}`): Entry {
  return { index, term, kind: 'command', data: bytes(value) }
}

export function configEntry(
  index: number,
  term: number,
  voters: NodeId[],
  learners: NodeId[] = [],
) {
  const addresses = Object.fromEntries([...voters, ...learners].map((id) => [id, `${id}:8300`]))
  const data = encodeConfig({ voters, votersOutgoing: [], learners, addresses, prevConfIndex: 0 })
  return { index, term, kind: 'config' as const, data }
}

/** A store whose writes can be held back, so that a script decides when the disk is done. */
export class HeldStore extends MemoryStore {
  isHeld = false
  #done: (() => void) | undefined

  override write(write: LogWrite, done: () => void): void {
    this.#done = () => super.write(write, done)
    if (!this.isHeld) this.sync()
  }

  /** False when nothing was waiting. */
  sync(): boolean {
    const done = this.#done
    this.#done = undefined
    done?.()
    return done !== undefined
  }
}

export class ListMachine implements StateMachine {
  index = 0
  readonly values: string[] = []

  appliedIndex(): number {
    return this.index
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'command') this.values.push(text(entry.data))
      this.index = entry.index
    }
  }

  restore(snapshot: SnapshotMeta): void {
    this.index = snapshot.index
    this.values.push(`snapshot@${snapshot.index}`)
  }
}

/** One server on memory; messages gather in `sent`. */
export class TestNode {
  readonly options: RaftOptions
  readonly store: HeldStore
  readonly machine: ListMachine
  readonly driver: Driver
  sent: Message[] = []
  readonly reads: string[] = []

  constructor(
    options: Partial<RaftOptions> & { id: NodeId },
    store = new HeldStore(),
    machine = new ListMachine(),
  ) {
    this.options = {
      random: () => 0,
      limits: testLimits,
      preVote: true,
      checkQuorum: true,
      ...options,
    }
    this.store = store
    this.machine = machine
    this.driver = boot(this.options, {
      store,
      machine,
      transport: { send: (messages) => this.sent.push(...messages) },
      onRead: (read) =>
        this.reads.push(
          read.kind === 'ready'
            ? `read ${read.requestId} at ${read.index}`
            : `read ${read.requestId} dropped`,
        ),
    })
  }

  get raft(): Raft {
    return this.driver.raft
  }

  /** The same disk and state machine, a new process. */
  restart(): TestNode {
    this.store.isHeld = false
    return new TestNode(this.options, this.store, this.machine)
  }

  take(): Message[] {
    this.driver.run()
    return this.sent.splice(0)
  }
}

/** A server with a log already on its disk; the terms are those of entries 1, 2, … */
export function nodeWithLog(
  options: Partial<RaftOptions> & { id: NodeId; voters: NodeId[] },
  terms: readonly number[] = [1],
  hardState: { term?: number; vote?: NodeId; commit?: number } = {},
): TestNode {
  const store = new HeldStore()
  const entries: Entry[] = terms.map((term, at) =>
    at === 0 ? configEntry(1, term, options.voters) : command(at + 1, term),
  )
  const { term = terms.at(-1) ?? 0, vote, commit = 1 } = hardState
  store.commitWrite({
    hardState: { term, vote, commit },
    snapshot: undefined,
    truncateFrom: undefined,
    entries,
  })
  return new TestNode(options, store)
}

/** Servers `ids` with the same first entry, their configuration, and a queue of messages between. */
export class TestCluster {
  readonly nodes = new Map<NodeId, TestNode>()
  queue: Message[] = []

  constructor(ids: readonly NodeId[], options: Partial<RaftOptions> = {}, learners: NodeId[] = []) {
    for (const id of [...ids, ...learners]) {
      const store = new HeldStore()
      const entries = [configEntry(1, 1, [...ids], learners)]
      const hardState = { term: 1, vote: undefined, commit: 1 }
      store.commitWrite({ hardState, snapshot: undefined, truncateFrom: undefined, entries })
      this.nodes.set(id, new TestNode({ ...options, id }, store))
    }
  }

  node(id: NodeId): TestNode {
    return must(this.nodes.get(id), `there is a node ${id}`)
  }

  add(id: NodeId, options: Partial<RaftOptions> = {}): TestNode {
    const node = new TestNode({ ...options, id })
    this.nodes.set(id, node)
    return node
  }

  /** Runs every server until nothing is sent any more; `drops` loses what it is true for. */
  settle(drops: (message: Message) => boolean = () => false): void {
    for (let round = 0; round < 1000; round++) {
      for (const node of this.nodes.values()) this.queue.push(...node.take())
      if (this.queue.length === 0) return
      for (const message of this.queue.splice(0)) {
        if (!drops(message)) this.nodes.get(message.to)?.raft.step(message)
      }
    }
    throw new Error('the cluster does not come to rest')
  }

  /** Lets `id` time out, and everyone answer. */
  elect(id: NodeId, drops?: (message: Message) => boolean): void {
    campaign(this.node(id).raft)
    this.settle(drops)
  }

  propose(id: NodeId, ...values: string[]) {
    return this.node(id).raft.propose(values.map(bytes))
  }

  conf(id: NodeId, change: ConfChange) {
    return this.node(id).raft.proposeConfChange(change)
  }
}

/** Ticks until the election time-out has passed. */
export function campaign(raft: Raft): void {
  const { state } = raft
  const ticks = state.electionTimeout - state.electionElapsed
  for (let tick = 0; tick < ticks; tick++) raft.tick()
}

export function tick(raft: Raft, count: number): void {
  for (let done = 0; done < count; done++) raft.tick()
}

export const three = ['1', '2', '3']
export const five = ['1', '2', '3', '4', '5']

/** A server in the given role, in term 2. */
export function inRole(role: Role): TestNode {
  const node = nodeWithLog({ id: '1', voters: three, preVote: role === 'pre-candidate' })
  if (role !== 'follower') campaign(node.raft)
  node.take()
  if (role === 'leader')
    node.raft.step({ type: 'vote-response', from: '2', to: '1', term: 2, granted: true })
  node.take()
  return node
}

export function voteRequest(
  term: number,
  last: { index: number; term: number },
  from = '2',
): Message {
  const lastOf = { lastIndex: last.index, lastTerm: last.term }
  return { type: 'vote-request', from, to: '1', term, ...lastOf, transfer: false }
}

export function append(rest: {
  term: number
  prev: [index: number, term: number]
  entries?: Entry[]
  commit?: number
  from?: NodeId
}): Message {
  const { term, prev, entries = [], commit = 0, from = '2' } = rest
  const [prevIndex, prevTerm] = prev
  return { type: 'append-request', from, to: '1', term, prevIndex, prevTerm, entries, commit }
}

export function termsOf({ raft }: TestNode): number[] {
  const { log } = raft.state
  const terms: number[] = []
  for (let index = 1; index <= log.lastIndex; index++) terms.push(log.term(index) ?? -1)
  return terms
}

export function types(messages: readonly Message[]): string[] {
  return messages.map(({ type, to }) => `${type} to ${to}`)
}

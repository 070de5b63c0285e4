import { seededRandom } from '../../src/base/random.ts'
import type { Entry, NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import { bootstrapWrite } from '../../src/raft/driver.ts'
import { RaftServer } from '../../src/replica/raft-server.ts'
import type { ProposalResult } from '../../src/replica/writes/proposals.ts'
import { must } from '../../src/base/assert.ts'
import { MemoryStore } from './memory-store.ts'

const tickMs = 50

/** Three servers in one thread, whose clock and network the test moves. */
export class RaftRig {
  nowMs = 1_000_000
  readonly servers = new Map<NodeId, RaftServer>()
  /** Those that answer default reads from their own copy without a round. */
  readonly alone = new Set<NodeId>()
  /** Stopped processes: what is sent to them waits in their sockets. */
  readonly frozen = new Set<NodeId>()
  /** Hosts that fell silent: what they send, and what is sent to them, is lost. */
  readonly silent = new Set<NodeId>()
  /** Servers that cannot read a snapshot. */
  readonly refusing = new Set<NodeId>()
  /** When a snapshot was sent to one of those. */
  readonly refusedAtMs: number[] = []
  /** False: no write reaches another server. */
  isForwarding = true
  /** Before messages leave a server. */
  onSend: () => void = () => {}
  #inFlight: Message[] = []

  /** `joining`: servers that run and have nothing yet. */
  constructor(ids: readonly NodeId[] = ['a', 'b', 'c'], seed = 1, joining: readonly NodeId[] = []) {
    const addresses = Object.fromEntries(ids.map((id) => [id, `${id}:8300`]))
    const config = { voters: ids, addresses, votersOutgoing: [], learners: [], prevConfIndex: 0 }
    for (const [at, id] of ids.entries()) {
      const store = new MemoryStore()
      store.commitWrite(must(bootstrapWrite(store.state(), config)))
      this.servers.set(id, this.#server(id, store, seed + at))
    }
    for (const id of joining) this.servers.set(id, this.#server(id, new MemoryStore(), seed))
  }

  server(id: NodeId): RaftServer {
    return must(this.servers.get(id))
  }

  /** The leader that a majority follows, once there is one. */
  elect(): NodeId {
    for (let tick = 0; tick < 100; tick++) {
      this.run(1)
      const leader = [...this.servers.keys()].find(
        (id) => !this.frozen.has(id) && !this.silent.has(id) && this.server(id).isLeader,
      )
      if (leader !== undefined) {
        this.run(4)
        return leader
      }
    }
    throw new Error('no leader within 100 ticks')
  }

  others(id: NodeId): readonly NodeId[] {
    return [...this.servers.keys()].filter((other) => other !== id)
  }

  /** So many ticks, with all that is sent meanwhile delivered at once. */
  run(ticks: number): void {
    for (let tick = 0; tick < ticks; tick++) {
      this.nowMs += tickMs
      for (const [id, server] of this.servers) if (!this.frozen.has(id)) server.tick(1)
      this.deliver()
    }
  }

  deliver(): void {
    for (;;) {
      const due = this.#inFlight.filter(({ to }) => !this.frozen.has(to))
      if (due.length === 0) return
      this.#inFlight = this.#inFlight.filter(({ to }) => this.frozen.has(to))
      for (const message of due) {
        if (this.silent.has(message.to) || this.silent.has(message.from)) continue
        // A member that was only named, and never started.
        const server = this.servers.get(message.to)
        if (message.type === 'snapshot-request') this.#sent(message.from, message.to)
        if (message.type === 'snapshot-request' && this.refusing.has(message.to)) continue
        server?.step(message)
        server?.turn()
      }
    }
  }

  /** The transport's report on a snapshot. */
  #sent(from: NodeId, to: NodeId): void {
    const isTaken = !this.refusing.has(to)
    if (!isTaken) this.refusedAtMs.push(this.nowMs)
    this.server(from).snapshotSent(to, isTaken)
    this.server(from).turn()
  }

  /** A write at `id`; its result comes while the rig runs. */
  propose(id: NodeId, json: string, settle: (result: ProposalResult) => void): void {
    this.server(id).propose({ bytes: Buffer.from(json) }, true, settle)
    this.server(id).turn()
  }

  /** Writes of `from`, to be done by `to`; what is lost is never answered. */
  #forward(from: NodeId, to: NodeId, proposals: readonly Uint8Array[]): Promise<ProposalResult[]> {
    if (!this.isForwarding || this.silent.has(from) || this.silent.has(to)) {
      return new Promise(() => {})
    }
    const results = proposals.map((bytes) => {
      return new Promise<ProposalResult>((resolve) => {
        this.server(to).propose({ bytes }, false, resolve)
      })
    })
    this.server(to).turn()
    return Promise.all(results)
  }

  #server(id: NodeId, store: MemoryStore, seed: number): RaftServer {
    let applied = 0
    return new RaftServer({
      id,
      store,
      machine: {
        appliedIndex: () => applied,
        apply: (entries: readonly Entry[]) => {
          for (const { index, term, kind } of entries) {
            applied = index
            const outcome = kind === 'command' ? ({ ok: true, index } as const) : undefined
            this.server(id).proposals.onApplied(index, term, outcome)
          }
        },
        restore: (snapshot) => {
          applied = snapshot.index
          this.server(id).proposals.onRestored(applied)
        },
      },
      transport: {
        send: (messages) => {
          if (messages.length > 0) this.onSend()
          this.#inFlight.push(...messages)
        },
      },
      forward: (to, proposals) => this.#forward(id, to, proposals),
      random: seededRandom(seed),
      nowMs: () => this.nowMs,
      wallMs: () => this.nowMs,
      onTurn: () => {},
      onAlone: (isAlone) => {
        if (isAlone) this.alone.add(id)
        else this.alone.delete(id)
      },
    })
  }
}

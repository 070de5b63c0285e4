import { must } from '../../src/base/assert.ts'
import { emptyConfig } from '../../src/raft/config.ts'
import { boot, bootstrapWrite } from '../../src/raft/driver.ts'
import type { Driver } from '../../src/raft/driver.ts'
import type { Entry, NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import { defaultLimits } from '../../src/raft/options.ts'
import { MemoryStore } from '../helpers/memory-store.ts'

const ids = ['1', '2', '3']
const entryBytes = 256
const seconds = 2
const batches = [1, 32, 256, 1024]

/** Three servers in one process, without a network and without a disk: what the core itself costs. */
export async function benchRaft(): Promise<string> {
  const rows = batches.map((batch) => {
    const perSecond = committedPerSecond(batch)
    return `| ${batch} | ${Math.round(perSecond).toLocaleString('en')} |`
  })
  return [
    `### Raft core, 3 servers in one process, memory storage, entries of ${entryBytes} bytes`,
    '',
    '| batch | entries committed and applied on all three, per second |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function committedPerSecond(batch: number): number {
  const cluster = new BenchCluster()
  cluster.elect('1')
  const data = Array.from({ length: batch }, () => new Uint8Array(entryBytes))
  const leader = must(cluster.drivers.get('1'))
  const started = process.hrtime.bigint()
  const before = leader.raft.state.log.applied
  let elapsed = 0
  while (elapsed < seconds) {
    for (let times = 0; times < Math.ceil(1000 / batch); times++) {
      leader.raft.propose(data)
      cluster.settle()
    }
    cluster.compact()
    elapsed = Number(process.hrtime.bigint() - started) / 1e9
  }
  const applied = [...cluster.drivers.values()].map(({ raft }) => raft.state.log.applied)
  return (Math.min(...applied) - before) / elapsed
}

class BenchCluster {
  readonly drivers = new Map<NodeId, Driver>()
  #queue: Message[] = []

  constructor() {
    const config = { ...emptyConfig, voters: ids }
    for (const id of ids) {
      const store = new MemoryStore()
      store.commitWrite(must(bootstrapWrite(store.state(), config)))
      let applied = 0
      const machine = {
        appliedIndex: () => applied,
        apply: (some: readonly Entry[]) => {
          applied = must(some.at(-1)).index
        },
        restore: () => {},
      }
      const transport = {
        send: (messages: readonly Message[]) => void this.#queue.push(...messages),
      }
      const options = {
        id,
        random: () => 0,
        limits: defaultLimits,
        preVote: true,
        checkQuorum: true,
      }
      this.drivers.set(id, boot(options, { store, machine, transport, onRead: () => {} }))
    }
  }

  elect(id: NodeId): void {
    const { raft } = must(this.drivers.get(id))
    while (raft.state.role === 'follower') raft.tick()
    this.settle()
  }

  settle(): void {
    for (const driver of this.drivers.values()) driver.run()
    while (this.#queue.length > 0) {
      const messages = this.#queue
      this.#queue = []
      for (const message of messages) must(this.drivers.get(message.to)).raft.step(message)
      for (const driver of this.drivers.values()) driver.run()
    }
  }

  /** So that memory does not grow with the speed. */
  compact(): void {
    for (const driver of this.drivers.values()) {
      const { applied, firstIndex } = driver.raft.state.log
      if (applied - firstIndex < 50_000) continue
      driver.saveSnapshot(must(driver.raft.snapshotMeta()))
      driver.compact({ to: applied - 10_000, durableApplied: applied })
    }
  }
}

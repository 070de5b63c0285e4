import { must } from '../../src/base/assert.ts'
import { decodeConfig, encodeConfig } from '../../src/raft/config.ts'
import type { Pledge } from '../../src/replica/cluster/formation.ts'
import type { Config, PlacedConfig } from '../../src/raft/config.ts'
import type { Entry, Index, NodeId, Term } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import { majority } from '../../src/raft/quorum.ts'
import type { LogWrite, SnapshotMeta } from '../../src/raft/storage.ts'
import type { SimDisk } from './disk.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import type { Done, Shown } from './node-machine.ts'
import type { Driver } from '../../src/raft/driver.ts'

/** A property of Raft does not hold. */
export class Violation extends Error {
  override name = 'Violation'
}

export function check(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Violation(claim)
}

/** What the ledger looks at on a server, and what it notes there. */
export interface Server {
  readonly id: NodeId
  readonly disk: SimDisk
  readonly driver: Driver | undefined
  readonly marks: Marks
}

/** What the ledger has seen of one process of a server. */
export interface Marks {
  term: Term
  commit: Index
  applied: Index
  leaderTerm: Term
  lastIndex: Index
  lastTerm: Term
  transferee: NodeId | undefined
  confIndex: Index
}

export function freshMarks(): Marks {
  const none = { term: 0, commit: 0, applied: 0, leaderTerm: 0, lastIndex: 0, lastTerm: 0 }
  return { ...none, transferee: undefined, confIndex: 0 }
}

/**
 * Knows everything that all servers together have done, and holds each event against the properties
 * of the paper's figure 3 and against the contract of the driver.
 */
export class Ledger {
  readonly #world: { readonly nowMs: number; readonly nodes: ReadonlyMap<NodeId, Server> }
  /** Committed entries; index 0 stands before the first. */
  readonly committed: Entry[] = []
  /** The newest committed configuration. */
  config: Config | undefined
  /** Undefined before the first server has one. */
  clusterId: string | undefined
  readonly #pledges = new Map<NodeId, Pledge>()
  readonly leaders = new Map<Term, NodeId>()
  /** When each leader was seen to be one, and where its log ended. */
  readonly ledSince = new Map<Term, { readonly atMs: number; readonly lastIndex: Index }>()
  /** By request id: when a command was first applied anywhere, and what it gave. */
  readonly appliedCommands = new Map<string, { atMs: number; outcome: Outcome }>()
  /** By index, then term: all entries that ever reached a disk, with the term before them. */
  readonly #entries: Map<Term, { entry: Entry; prevTerm: Term }>[] = []
  readonly #votes = new Map<string, NodeId>()
  /** By index: the term of the leader that committed it. */
  readonly #commitTerms: Term[] = []
  /** By index: hash of all that was applied, and of the state it led to. */
  readonly #chains: { chain: number; digest: number | undefined }[] = []

  constructor(world: { readonly nowMs: number; readonly nodes: ReadonlyMap<NodeId, Server> }) {
    this.#world = world
  }

  /** A recovery begins another history: what its one server held is committed. */
  static ofRecovered(
    world: { readonly nowMs: number; readonly nodes: ReadonlyMap<NodeId, Server> },
    clusterId: string,
    entries: readonly Entry[],
  ): Ledger {
    const ledger = new Ledger(world)
    ledger.clusterId = clusterId
    ledger.committed.push(must(entries[0]), ...entries)
    ledger.config = decodeConfig(must(entries.at(-1)).data)
    return ledger
  }

  get commitIndex(): Index {
    return this.committed.length - 1
  }

  /** The founders of the one cluster begin with the same entry, the configuration of them all. */
  onFounded(id: NodeId, clusterId: string, entry: Entry): void {
    const [, first] = this.committed
    if (first === undefined) {
      this.committed.splice(0, 2, entry, entry)
      this.config = decodeConfig(entry.data)
    } else {
      check(areEqual(first.data, entry.data), `${id} founds ${clusterId} with other members`)
    }
    const voters = decodeConfig(entry.data)?.voters ?? []
    check(voters.includes(id), `${id} founds ${clusterId} without itself`)
    // The cluster has begun, even if the process ends before its id is on disk.
    this.onCluster(id, clusterId)
  }

  /** Of servers that look for each other, all come into one cluster. */
  onCluster(id: NodeId, clusterId: string): void {
    this.clusterId ??= clusterId
    check(clusterId === this.clusterId, `${id} is in ${clusterId}, others in ${this.clusterId}`)
  }

  /** A promise that was given is kept: another one takes its place only when that is released. */
  onPledge(id: NodeId, pledge: Pledge): void {
    const known = this.#pledges.get(id)
    this.#pledges.set(id, pledge)
    if (known === undefined || known.clusterId === pledge.clusterId) return
    check(
      this.clusterId !== known.clusterId || known.founders[id] === undefined,
      `${id}, founder of ${known.clusterId}, pledges itself to ${pledge.clusterId}`,
    )
  }

  /** Term and vote never go back (§5.1, §5.2); an index and a term name one entry (Log Matching). */
  onDiskWrite(before: SimDisk, write: LogWrite): void {
    const { hardState: old } = before
    const { hardState, entries, truncateFrom, snapshot } = write
    check(hardState.term >= old.term, `the term on disk fell from ${old.term} to ${hardState.term}`)
    check(
      hardState.term > old.term || old.vote === undefined || hardState.vote === old.vote,
      `the vote on disk changed in term ${old.term} from ${old.vote} to ${hardState.vote}`,
    )
    let prev = snapshot ?? before.base
    if (snapshot === undefined && entries[0] !== undefined) {
      const index = entries[0].index - 1
      prev = { index, term: before.term(index) }
    }
    for (const entry of entries) {
      this.#noteEntry(entry, prev.term)
      prev = entry
    }
    if (truncateFrom !== undefined) {
      check(
        truncateFrom > before.hardState.commit,
        `committed entries were cut from ${truncateFrom}`,
      )
    }
  }

  #noteEntry(entry: Entry, prevTerm: Term): void {
    const terms = (this.#entries[entry.index] ??= new Map())
    const known = terms.get(entry.term)
    if (known === undefined) {
      terms.set(entry.term, { entry, prevTerm })
      return
    }
    const name = `${entry.index}/${entry.term}`
    check(areEqual(known.entry.data, entry.data), `Log Matching: two entries ${name}`)
    check(
      known.prevTerm === prevTerm,
      `Log Matching: ${name} behind ${prevTerm} and ${known.prevTerm}`,
    )
  }

  /** After every event on `node`. */
  onEvent(node: Server): void {
    const { state } = must(node.driver).raft
    const { marks } = node
    check(state.term >= marks.term, `${node.id}: the term fell from ${marks.term} to ${state.term}`)
    marks.term = state.term
    this.#checkPersisted(node)
    const leader = this.leaders.get(state.term)
    check(
      state.leader === undefined || leader === undefined || state.leader === leader,
      `${node.id} follows ${state.leader}; the leader of ${state.term} is ${leader}`,
    )
    const { latest } = state.configs
    if (latest.index > state.log.commit) {
      // §6: in force is the newest configuration in the log, and none that was cut off it.
      const [entry] = state.log.entries(
        latest.index,
        Math.min(latest.index, state.log.lastIndex),
        1,
      )
      check(
        entry?.kind === 'config',
        `${node.id}: the configuration at ${latest.index} is in force`,
      )
    }
    if (state.role === 'leader') this.#onLeader(node)
    this.noteCommits(node)
  }

  /** What the log takes for durable is on the disk. */
  #checkPersisted({ id, disk, driver }: Server): void {
    const { log } = must(driver).raft.state
    const { persisted } = log
    if (log.isRestoring || persisted < log.firstIndex) return
    const isThere = persisted <= disk.lastIndex && disk.term(persisted) === log.term(persisted)
    check(isThere, `${id} takes ${persisted} for durable, which its disk does not hold`)
  }

  noteCommits(node: Server): void {
    const { marks } = node
    const { state } = must(node.driver).raft
    const { log } = state
    if (log.commit === marks.commit) return
    if (state.role === 'leader') {
      // §5.4.2: by counting, a leader commits only what is of its own term.
      check(log.term(log.commit) === state.term, `${node.id} commits ${log.commit} of an old term`)
    }
    check(log.commit > marks.commit, `${node.id}: the commit index fell to ${log.commit}`)
    for (let index = marks.commit + 1; index <= log.commit; index++) this.#onCommit(node, index)
    marks.commit = log.commit
  }

  #onLeader(node: Server): void {
    const { state } = must(node.driver).raft
    const { log, term } = state
    const { marks } = node
    const known = this.leaders.get(term)
    check(
      known === undefined || known === node.id,
      `Election Safety: ${known} and ${node.id} in ${term}`,
    )
    if (known === undefined) {
      this.#onElected(node)
      this.ledSince.set(term, { atMs: this.#world.nowMs, lastIndex: log.lastIndex })
    }
    if (marks.leaderTerm === term) {
      check(
        log.lastIndex >= marks.lastIndex && log.term(marks.lastIndex) === marks.lastTerm,
        `Leader Append-Only: ${node.id} lost ${marks.lastIndex}/${marks.lastTerm}`,
      )
      // Thesis §3.10: while it hands over, a leader takes nothing new, or the heir never catches up.
      const isHandingOver = marks.transferee !== undefined && marks.transferee === state.transferee
      check(
        !isHandingOver || log.lastIndex === marks.lastIndex,
        `${node.id} takes ${log.lastIndex} while it hands over to ${marks.transferee}`,
      )
    }
    marks.transferee = state.transferee
    marks.leaderTerm = term
    marks.lastIndex = log.lastIndex
    marks.lastTerm = log.lastTerm
    this.#checkConfigs(node)
    const { inflightMessagesMax, inflightBytesMax, appendBytesMax } = state.options.limits
    for (const [id, { inflights, next, match }] of state.progress) {
      check(next > match, `next is above match for ${id}`)
      check(inflights.count <= inflightMessagesMax, `${id}: ${inflights.count} messages in flight`)
      const bytesMax = inflightBytesMax + Math.max(appendBytesMax, 600)
      check(inflights.bytes <= bytesMax, `${id}: ${inflights.bytes} bytes in flight`)
    }
  }

  #onElected(node: Server): void {
    const { log, term } = must(node.driver).raft.state
    this.leaders.set(term, node.id)
    // A candidate may learn late that it won, when a leader of a higher term has committed already.
    let index = this.commitIndex
    while ((this.#commitTerms[index] ?? 0) > term) index--
    const last = must(this.committed[index])
    check(
      index <= log.lastIndex && (index < log.firstIndex || log.term(index) === last.term),
      `Leader Completeness: ${node.id}, leader of ${term}, lacks ${last.index}/${last.term}`,
    )
  }

  /** §6: at most one configuration is not committed, and it differs from the last by one voter. */
  #checkConfigs(node: Server): void {
    const { configs, log, term, termStart } = must(node.driver).raft.state
    const { latest } = configs
    if (latest.index === node.marks.confIndex) return
    node.marks.confIndex = latest.index
    // Thesis §4.1, the correction of 2015: first an entry of the own term is committed.
    const isReady = latest.index <= log.commit || log.term(log.commit) === term
    check(isReady || latest.index < termStart, `a configuration at ${latest.index} before its time`)
    const before = configs.since(log.commit).at(-2)
    if (before === undefined || before.index === 0) return
    check(before.index <= this.commitIndex, `a second configuration at ${latest.index} in flight`)
    const [was, is] = [new Set(before.config.voters), new Set(latest.config.voters)]
    const changed =
      [...was].filter((id) => !is.has(id)).length + [...is].filter((id) => !was.has(id)).length
    check(changed <= 1, `the voters at ${latest.index} differ by ${changed}`)
  }

  #onCommit(node: Server, index: Index): void {
    const { state } = must(node.driver).raft
    const { log, config } = state
    const known = this.committed[index]
    const term = log.term(index)
    if (known !== undefined) {
      check(
        term === undefined || term === known.term,
        `State Machine Safety: ${node.id} commits ${index}/${term}, others ${index}/${known.term}`,
      )
      return
    }
    check(index === this.committed.length, `${node.id} commits ${index} before what is before it`)
    const entry = must(log.entries(index, index, Infinity)[0])
    this.committed.push(entry)
    this.#commitTerms[index] = state.term
    const voters = entry.kind === 'config' ? decodeConfig(entry.data)?.voters : config.voters
    this.#checkDurable(node, entry, voters ?? [])
    if (entry.kind === 'config') this.config = decodeConfig(entry.data)
  }

  /** What is committed is on the disks of a quorum. */
  #checkDurable(node: Server, { index, term }: Entry, voters: readonly NodeId[]): void {
    const holders = voters.filter((id) => {
      const disk = this.#world.nodes.get(id)?.disk
      if (disk === undefined) return false
      if (disk.base.index >= index) return true
      return disk.lastIndex >= index && disk.term(index) === term
    })
    check(
      holders.length >= majority(voters.length),
      `${node.id} commits ${index}/${term} that only [${holders.join()}] of [${voters.join()}] hold`,
    )
  }

  onApplied(
    node: Server,
    entry: Entry,
    { shown, done }: { shown: Shown; done: Done | undefined },
  ): void {
    this.noteCommits(node)
    const committed = this.committed[entry.index]
    check(
      committed?.term === entry.term,
      `${node.id} applies ${entry.index}/${entry.term} uncommitted`,
    )
    check(node.marks.applied + 1 === entry.index, `${node.id} applies ${entry.index} out of order`)
    node.marks.applied = entry.index
    check(
      node.disk.lastIndex >= entry.index,
      `${node.id} applies ${entry.index} before it is on disk`,
    )
    const known = this.#chains[entry.index]
    if (known === undefined && done !== undefined) this.#noteOutcome(done)
    this.#checkShown(node, shown)
  }

  /** Servers batch the log differently: a digest that one could not tell another may know. */
  #checkShown(node: Server, { index, chain, digest }: Shown): void {
    const known = this.#chains[index]
    if (known === undefined) {
      this.#chains[index] = { chain, digest: digest() }
      return
    }
    check(known.chain === chain, `State Machine Safety: ${node.id} differs at ${index}`)
    if (known.digest === undefined) known.digest = digest()
  }

  /** A write is applied once, however often it was sent on its way. */
  #noteOutcome({ requestId, outcome }: Done): void {
    const known = this.appliedCommands.get(requestId)
    if (known === undefined) {
      this.appliedCommands.set(requestId, { atMs: this.#world.nowMs, outcome })
      return
    }
    check(
      known.outcome.index === outcome.index,
      `${requestId} is applied at ${known.outcome.index} and at ${outcome.index}`,
    )
  }

  /** A snapshot is what applying everything up to it gives. */
  onSnapshot(node: Server, { index, chain, digest }: Shown): void {
    const known = this.#chains[index]
    const isSame =
      known === undefined ||
      (known.chain === chain && (known.digest === undefined || known.digest === digest()))
    check(isSame, `${node.id}: the snapshot at ${index} is not the state there`)
  }

  /** §7: with a snapshot comes the configuration that was in force there. */
  onRestored(node: Server, shown: Shown, snapshot: SnapshotMeta): void {
    this.onSnapshot(node, shown)
    const { index: at } = shown
    this.#checkConfig(node, at, { index: snapshot.confIndex, config: snapshot.config })
    if (node.driver === undefined) return
    const { configs, log } = node.driver.raft.state
    // A newer snapshot that is still to be written has replaced what was known at this one.
    if (log.firstIndex - 1 > at) return
    this.#checkConfig(node, at, configs.at(at))
  }

  #checkConfig(node: Server, at: Index, { index, config }: PlacedConfig): void {
    const entry = this.committed.findLast((entry, is) => is <= at && entry.kind === 'config')
    check(
      entry?.index === index && areEqual(entry.data, encodeConfig(config)),
      `${node.id}: the snapshot at ${at} brings the configuration of ${index}`,
    )
  }

  /** §5.2: one vote in a term, whatever happens to the process in between. */
  #noteVote(voter: NodeId, term: Term, candidate: NodeId): void {
    const key = `${voter} in ${term}`
    const known = this.#votes.get(key)
    check(known === undefined || known === candidate, `${key} votes for ${known} and ${candidate}`)
    this.#votes.set(key, candidate)
  }

  /** Thesis §3.10: who is to take over has all of the leader's log. */
  #checkHeir(node: Server, { to, term }: Message): void {
    const { log } = must(node.driver).raft.state
    const disk = this.#world.nodes.get(to)?.disk
    if (disk === undefined || disk.hardState.term > term) return
    check(
      disk.lastIndex >= log.lastIndex,
      `${node.id} hands over at ${log.lastIndex} to ${to}, which holds ${disk.lastIndex}`,
    )
  }

  /** Nothing leaves before what it says is on disk (§5.1, §5.2, §5.3). */
  onSend(node: Server, message: Message): void {
    const { disk } = node
    if (message.type === 'timeout-now') this.#checkHeir(node, message)
    if (message.type === 'vote-request') this.#noteVote(node.id, message.term, node.id)
    if (message.type === 'vote-response' && message.granted) {
      this.#noteVote(node.id, message.term, message.to)
      const { term, vote } = disk.hardState
      check(
        term > message.term || (term === message.term && vote === message.to),
        `${node.id} sends a vote for ${message.to} in ${message.term} that is not on disk`,
      )
    }
    if (message.type === 'vote-request') {
      check(
        disk.hardState.term >= message.term,
        `${node.id} asks for votes in ${message.term} before its own is on disk`,
      )
    }
    if (message.type === 'append-response' && !message.rejected) {
      check(
        disk.lastIndex >= message.index || disk.hardState.term > message.term,
        `${node.id} acknowledges ${message.index}, its disk ends at ${disk.lastIndex}`,
      )
    }
  }
}

/** The simulated network does not copy, so it is most often the same array. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0
}

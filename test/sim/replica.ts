import { isDeepStrictEqual } from 'node:util'
import { must } from '../../src/base/assert.ts'
import { silentLogger } from '../../src/base/log.ts'
import { PeerNotices } from '../../src/process/peer-notices.ts'
import type { PeerTransport } from '../../src/peers/transport.ts'
import { ClusterFormation } from '../../src/replica/cluster/formation.ts'
import type { ClusterMarks } from '../../src/replica/cluster/marks.ts'
import { EpochFence } from '../../src/replica/cluster/epoch-fence.ts'
import { finishFounding, foundCluster } from '../../src/replica/cluster/founding.ts'
import { LeaderDuties } from '../../src/replica/duties/leader-duties.ts'
import { MemberMoves } from '../../src/replica/duties/member-moves.ts'
import { Promotion } from '../../src/replica/duties/promotion.ts'
import { askerOver, forwarderOver } from '../../src/replica/cluster/peer-questions.ts'
import { PeerRequests } from '../../src/replica/writes/peer-requests.ts'
import type { ProposalResult } from '../../src/replica/writes/proposals.ts'
import { RaftServer } from '../../src/replica/raft-server.ts'
import { members } from '../../src/raft/config.ts'
import type { Entry, Index, NodeId } from '../../src/raft/entry.ts'
import type { ConfChange } from '../../src/raft/membership.ts'
import type { Message } from '../../src/raft/message.ts'
import { decodeCommand } from '../../src/state/families.ts'
import type { StateMachine } from '../../src/raft/storage.ts'
import { loneServer } from '../helpers/replica-settings.ts'
import { addressOf, idAt } from './addresses.ts'
import type { Host } from './host.ts'
import { check } from './ledger.ts'
import { Ended, marksOn } from './ended.ts'
import { requestIdOf } from './machine.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import { foundingLogOf, storeOf } from './process-logs.ts'
import { Rpc } from './rpc.ts'
import { ReplicaSessions } from './sessions.ts'
import { electionMsOf } from './options.ts'
import type { Session } from '../../src/state/session/model.ts'

/** How the requests of leaders begin. */
export const leaderRequest = 'leader-'

const formationMs = 300
const joinTimeoutMs = 3000
const silenceMs = 3000
/** As in src/replica/raft-server.ts. */
const visibleMs = 1000

/**
 * One process of a server: what src/replica/server.ts puts together, over a simulated disk,
 * network and clock. All but the threads, the sockets and the files is the real code.
 */
export class SimReplica {
  readonly node: Host<SimReplica>
  readonly marks: ClusterMarks
  readonly rpc: Rpc
  readonly formation: ClusterFormation
  readonly requests: PeerRequests
  readonly machine: StateMachine
  readonly fence: EpochFence
  raft: RaftServer | undefined
  duties: LeaderDuties | undefined
  sessions: ReplicaSessions | undefined
  isAlive = true
  /** What the other threads know: no round is needed for a read. */
  isAlone = false
  /** Members that it has tried to greet. */
  readonly tried = new Set<NodeId>()
  /** The process of each member with which it has a connection that it dialled. */
  readonly #connected = new Map<NodeId, SimReplica>()
  /** Writes asked for here that have no answer yet: when they were. */
  readonly writing = new Set<{ readonly atMs: number }>()
  /** When an answer to a forwarded write came, by the index it names. */
  readonly #answeredMs = new Map<Index, number>()
  #reading = 0
  readonly #ask = askerOver(() => this.#transport)

  constructor(node: Host<SimReplica>) {
    const { world, id } = node
    this.node = node
    this.marks = marksOn(node.disk, () => this.#mustLive())
    finishFounding(node.disk, this.marks)
    this.rpc = new Rpc({
      self: id,
      carry: (to, deliver, broken) => {
        if (this.isAlive) world.network.carry({ from: id, to }, deliver, broken)
      },
      answer: (from, kind, body) => this.#answer(from, kind, body),
      peer: (to) => world.nodes.get(to)?.replica?.rpc,
      after: (delayMs, run) => node.later(delayMs, run),
      onBusy: () => world.stir(node),
    })
    this.fence = new EpochFence({
      self: id,
      marks: this.marks,
      raft: () => this.raft,
      tried: () => this.tried,
      nowMs: () => world.nowMs,
      logger: silentLogger,
      onFenced: () => this.#onFenced(),
    })
    this.formation = this.#makeFormation()
    this.machine = {
      appliedIndex: () => node.machine.appliedIndex(),
      apply: (entries) => {
        for (const entry of entries) this.#checkParsed(entry)
        node.machine.apply(entries)
      },
      restore: (snapshot) => node.machine.restore(snapshot),
    }
    this.requests = this.#makeRequests()
  }

  /** Promises are under way. */
  get isBusy(): boolean {
    return this.rpc.isBusy || this.#reading > 0
  }

  start(): void {
    const { clusterId } = this.marks
    if (clusterId === undefined) return this.#form()
    // Its last process may have ended right behind the first entry.
    this.node.ledger.onCluster(this.node.id, clusterId)
    this.#begin()
  }

  /** What an ended process would still do has no effect: neither on its disk nor on the network. */
  #mustLive(): void {
    if (!this.isAlive) throw new Ended()
  }

  checkDuties(): void {
    this.duties?.check()
  }

  /** Inputs of the clock: first whether it may take part, as in the replica thread. */
  tick(count: number): void {
    this.fence.check()
    this.raft?.tick(count)
  }

  /**
   * Dials each member with which it has no connection yet. What answers in a newer epoch says so; a
   * host that runs nothing refuses, which counts as tried as well; a cut one does neither.
   */
  greet(): void {
    const { raft, node } = this
    const { network, nodes } = node.world
    if (raft === undefined) return
    for (const peer of members(raft.driver.raft.state.config)) {
      const other = nodes.get(peer)?.replica
      const isConnected = other !== undefined && this.#connected.get(peer) === other
      if (peer === node.id || isConnected) continue
      network.dial(node.id, peer, () => this.#onDialled(peer))
    }
  }

  /** Somebody dialled this server, and says that it is in that epoch. Anybody could. */
  greetedBy(_epoch: number): void {}

  /** Its connections are made again, so that the others hear what it has learned. */
  #onFenced(): void {
    const { node } = this
    const { nodes, network } = node.world
    node.world.trace(() => `${node.id} is left behind`)
    for (const peer of nodes.keys()) if (peer !== node.id) network.reset(node.id, peer)
  }

  #onDialled(peer: NodeId): void {
    const { marks } = this
    const { world } = this.node
    const other = world.nodes.get(peer)?.replica
    this.tried.add(peer)
    if (other === undefined || other.marks.clusterId !== marks.clusterId) return
    this.#connected.set(peer, other)
    const newest = Math.max(other.marks.epoch, other.marks.newestEpoch)
    if (newest <= marks.epoch) return
    world.onLearned?.(this.node)
    this.fence.learn(newest)
  }

  connectionLost(peer: NodeId): void {
    this.#connected.delete(peer)
    this.raft?.connectionLost(peer)
    this.rpc.connectionLost(peer)
  }

  onApplied(entry: Entry, outcome: Outcome | undefined): void {
    this.raft?.proposals.onApplied(entry.index, entry.term, outcome)
  }

  write(json: string, settle: (result: ProposalResult) => void): void {
    if (this.raft === undefined) return settle({ kind: 'not-leader' })
    const writing = { atMs: this.node.world.nowMs }
    this.writing.add(writing)
    this.raft.propose({ bytes: Buffer.from(json) }, true, (result) => {
      this.writing.delete(writing)
      if (!this.isAlive) return
      try {
        if (result.kind === 'applied') {
          this.#checkVisible(json, result.outcome.index)
          this.node.world.onAcknowledged?.(this.node)
        }
        settle(result)
      } catch (error) {
        // Within a promise, where the write was forwarded.
        this.#onError(error)
      }
    })
  }

  /** The command that this server has parsed before is the one that is in the log now. */
  #checkParsed({ index, term, data }: Entry): void {
    const parsed = this.raft?.takeParsed(index, term)
    if (parsed === undefined) return
    check(isDeepStrictEqual(parsed, decodeCommand(data)), `another command is in entry ${index}`)
  }

  /** 200 means visible here, if it takes no longer than a second. Where it is, the ledger knows best. */
  #checkVisible(json: string, told: Index): void {
    const { id, machine, world, ledger } = this.node
    const index = ledger.appliedCommands.get(requestIdOf(json))?.outcome.index ?? told
    const waitedMs = world.nowMs - (this.#answeredMs.get(told) ?? Infinity)
    check(
      machine.appliedIndex() >= index || waitedMs > visibleMs - 1,
      `${id} answers ${requestIdOf(json)} for ${told} (${index}) and has applied ${machine.appliedIndex()}`,
    )
  }

  /** Hands writes to another server; a mutant may do it wrong. */
  async forward(to: NodeId, proposals: readonly Uint8Array[]): Promise<readonly ProposalResult[]> {
    const { world } = this.node
    const hand = forwarderOver(() => this.#transport, world.options.forwardMs)
    const results = await hand(to, proposals)
    for (const result of results) {
      // The first answer counts: asked again meanwhile, another may come behind it.
      if (result.kind !== 'applied' || this.#answeredMs.has(result.outcome.index)) continue
      this.#answeredMs.set(result.outcome.index, world.nowMs)
    }
    return results
  }

  /** Asks whoever is at an address, for the formation of a cluster. */
  ask<T>(address: string, kind: string, body: unknown): Promise<T> {
    return this.#ask<T>({ address }, kind, body, joinTimeoutMs)
  }

  /** A duty of the leader. Thesis §4.2.1: a learner votes only once it keeps up. */
  changeMembers(change: ConfChange): boolean {
    const { node, raft } = this
    if (raft === undefined) return false
    const result = raft.driver.raft.proposeConfChange(change)
    node.world.trace(() => `${node.id}: ${JSON.stringify(change)} => ${JSON.stringify(result)}`)
    if (result.kind === 'accepted' && change.kind === 'promote') {
      const disk = node.world.nodes.get(change.id)?.disk
      const holds =
        disk === undefined || disk.hardState.term > result.term ? Infinity : disk.lastIndex
      check(holds >= node.oldTail, `${change.id} is to vote, and holds ${holds} of ${node.oldTail}`)
    }
    raft.turn()
    return result.kind === 'accepted'
  }

  /** A default read: whatever was committed when it was asked for, by whichever leader, it sees. */
  read(settle: (isHeld: boolean) => void): void {
    const { node, raft } = this
    if (raft === undefined) return settle(false)
    const { ledger } = node
    const committed = ledger.commitIndex
    if (this.isAlone) {
      const applied = node.machine.appliedIndex()
      check(applied >= committed, `${node.id}, alone, reads at ${applied} of ${committed}`)
      return settle(true)
    }
    this.#reading++
    node.world.stir(node)
    const end = (isHeld: boolean): void => {
      this.#reading--
      if (!this.isAlive) return
      if (isHeld) {
        const applied = node.machine.appliedIndex()
        check(applied >= committed, `${node.id} reads at ${applied}, ${committed} was committed`)
      }
      settle(isHeld)
    }
    raft.readBarrier().then(end).catch(this.#onError)
  }

  get #transport(): PeerTransport {
    const request = (
      target: { id: NodeId } | { address: string },
      kind: string,
      body: Buffer,
      timeoutMs: number,
    ): Promise<Buffer> => {
      const to = 'id' in target ? target.id : idAt(target.address)
      return this.rpc.request(to, kind, body, timeoutMs)
    }
    return { request } as PeerTransport
  }

  readonly #onError = (error: unknown): void => {
    if (!this.isAlive || error instanceof Ended) return
    try {
      this.node.fail(error)
    } catch (fatal) {
      this.node.world.abort(fatal)
    }
  }

  #begin(): void {
    const { node } = this
    const { world, machine, id } = node
    const { options, random } = world
    node.marks.applied = machine.appliedIndex()
    const raft = new RaftServer({
      id,
      store: storeOf(this.node.disk, () => this.#mustLive()),
      machine: this.machine,
      transport: { send: (messages) => this.#send(messages) },
      onFatal: this.#onError,
      forward: (to, proposals) => this.forward(to, proposals),
      random,
      nowMs: () => world.nowMs,
      wallMs: () => Math.round(world.nowMs),
      onTurn: () => {},
      onAlone: (isAlone) => (this.isAlone = isAlone),
      limits: options.limits,
      holdMs: options.holdMs,
    })
    this.raft = raft
    this.sessions = this.#makeSessions(raft)
    const changeMembers = (change: ConfChange): boolean => this.changeMembers(change)
    const moves = { silenceMs, changeMembers, address: () => addressOf(node.id), moved: () => [] }
    this.duties = new LeaderDuties({
      status: () => raft.status,
      nowMs: () => world.nowMs,
      // No catalog and no files are here, whose servers could fall silent or differ.
      duties: [
        new Promotion({ changeMembers }),
        new MemberMoves(moves),
        ...(this.sessions === undefined ? [] : [this.sessions.deadlines]),
      ],
    })
    this.fence.begin(raft)
    node.onBegun()
    raft.leadAlone()
    raft.turn()
  }

  #makeSessions(raft: RaftServer): ReplicaSessions | undefined {
    const { world, machine, id } = this.node
    const { sessions } = machine
    if (sessions === undefined) return undefined
    return new ReplicaSessions({
      self: id,
      sessions,
      raft: () => this.raft,
      status: () => raft.status,
      electionMs: electionMsOf(world.options),
      nowMs: () => world.nowMs,
      logger: silentLogger,
      ask: this.#ask,
      propose: (body, cause) => {
        const requestId = `${leaderRequest}${world.newRequestId()}`
        const proposal = { version: 1, requestId, actor: `leader ${id}`, cause, body }
        raft.propose({ bytes: Buffer.from(JSON.stringify(proposal)) }, false, () => {})
        raft.turn()
      },
    })
  }

  /** Grants a session its whole TTL, by whoever leads. Rejects when that is not known to be done. */
  async renewSession(id: string): Promise<Session | null> {
    this.#reading++
    this.node.world.stir(this.node)
    try {
      return await must(this.sessions, 'it has begun').renew(id)
    } finally {
      this.#reading--
    }
  }

  #send(messages: readonly Message[]): void {
    this.#mustLive()
    this.node.send(messages)
  }

  #answer(from: NodeId, kind: string, body: Buffer): Promise<Buffer> {
    const { world, id } = this.node
    world.trace(() => `${id} is asked ${kind} by ${from}`)
    const other = world.nodes.get(from)?.replica
    const isMember =
      this.marks.clusterId !== undefined && other?.marks.clusterId === this.marks.clusterId
    const asking = { id: from, name: from, address: addressOf(from), isMember, isAuthentic: true }
    const answer = this.requests.answer(asking, kind, body)
    // As onTurnEnd does after what came with one read.
    this.node.turn()
    return answer
  }

  #makeRequests(): PeerRequests {
    const { id, world } = this.node
    const clock = { monotonicMs: () => world.nowMs, wallMs: () => world.nowMs }
    return new PeerRequests({
      settings: { ...loneServer, id, name: id, bootstrapExpect: this.node.expect, silenceMs },
      raft: () => this.raft,
      formation: this.formation,
      operations: {
        letIn: (member, address) => this.#letIn(member, address, 'join'),
        change: (asked) => {
          const address = asked.kind === 'add-learner' ? asked.address : undefined
          return this.#letIn(asked.id, address, 'change')
        },
        transfer: () => Promise.reject(new Error('no operator is here')),
        health: () => '',
        renewSessions: (ids) => must(this.sessions).operations.renewSessions(ids),
        lockDelay: (key) => must(this.sessions).operations.lockDelay(key),
      },
      // The states are compared by the checker, after each entry.
      state: () => ({ report: () => ({ format: 0, sums: [] }), onDiffers: () => false }),
      lend: () => Promise.reject(new Error('no state is damaged here')),
      cluster: () => ({
        address: addressOf(id),
        clusterId: this.marks.clusterId,
        epoch: this.marks.epoch,
        pledge: this.marks.pledge,
        places: {},
      }),
      notices: new PeerNotices(silentLogger, clock),
    })
  }

  /** A server asks to be let in; only the leader can. What the real one waits for, this leaves out. */
  async #letIn(id: NodeId, address: string | undefined, kind: 'join' | 'change'): Promise<string> {
    const { raft } = this
    if (raft === undefined || address === undefined) throw new Error('no cluster')
    const change = { kind: 'add-learner', id, address } as const
    if (!raft.isLeader) {
      const { leader } = raft.status
      if (leader === undefined || kind !== 'join') throw new Error('no leader')
      return this.#ask<string>({ id: leader }, 'change', change, joinTimeoutMs)
    }
    const result = raft.driver.raft.proposeConfChange(change)
    raft.turn()
    const isKnown = result.kind === 'refused' && result.reason === 'already-a-member'
    const isFresh = raft.status.peers.some((peer) => peer.id === id && peer.match === 0)
    if (result.kind === 'accepted' || (isKnown && isFresh)) return id
    throw new Error('not now')
  }

  #makeFormation(): ClusterFormation {
    const { id, expect, knows, world } = this.node
    return new ClusterFormation({
      self: { id, name: id, address: addressOf(id), expect },
      retryJoin: knows.map(addressOf),
      invitedBy: () => [],
      pledge: () => this.marks.pledge,
      setPledge: (pledge) => {
        this.marks.setPledge(pledge)
        this.node.ledger.onPledge(id, pledge)
      },
      newClusterId: () => world.newClusterId(),
      request: (address, kind, body) => this.ask(address, kind, body),
      found: (clusterId, founders) => {
        foundCluster(
          foundingLogOf(this.node, clusterId, () => this.#mustLive()),
          this.marks,
          { clusterId, founders },
        )
        this.node.ledger.onCluster(id, clusterId)
        world.trace(() => `${id} founds ${clusterId} with ${Object.keys(founders).join()}`)
        this.#begin()
      },
      join: (clusterId, epoch) => {
        this.#mustLive()
        this.node.ledger.onCluster(id, clusterId)
        this.marks.setEpoch(epoch)
        this.marks.setClusterId(clusterId)
        world.trace(() => `${id} joins ${clusterId}`)
        this.#begin()
      },
      logger: silentLogger,
      nowMs: () => world.nowMs,
    })
  }

  #form(): void {
    const { node } = this
    const attempt = async (): Promise<void> => {
      if (!this.isAlive || (await this.formation.attempt()) || !this.isAlive) return
      const retry = (): void => void attempt().catch(this.#onError)
      node.later(formationMs * (0.5 + node.world.random()), retry)
    }
    node.world.stir(node)
    attempt().catch(this.#onError)
  }
}

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from '../base/log.ts'
import { Versions } from '../catalog/versions.ts'
import type { UpdateCheckCommand } from '../catalog/command.ts'
import { members } from '../raft/config.ts'
import { bootstrapWrite } from '../raft/driver.ts'
import type { Config } from '../raft/config.ts'
import { defaultLimits } from '../raft/options.ts'
import type { Message } from '../raft/message.ts'
import type { NodeId } from '../raft/entry.ts'
import { PeerNotices } from '../net/peer-notices.ts'
import { openPeerTransport } from '../net/peer-transport.ts'
import type { PeerTransport } from '../net/peer-transport.ts'
import { RaftLog } from '../storage/raft-log.ts'
import { SnapshotStore } from '../storage/snapshot.ts'
import type { StateWriter } from '../storage/state.ts'
import { CatalogStateMachine } from './catalog-state-machine.ts'
import { ClusterFormation } from './cluster-formation.ts'
import { ClusterMarks } from './cluster-marks.ts'
import { clusterKey, clusterStatus } from './cluster-status.ts'
import { joinAt } from './joining.ts'
import { LeaderDuties } from './leader-duties.ts'
import { Operations } from './operations.ts'
import type { ProposalResult } from './proposals.ts'
import { askerOver } from './peer-questions.ts'
import { PeerRequests } from './peer-requests.ts'
import { RaftServer } from './raft-server.ts'
import { RemovalNotice } from './removal-notice.ts'
import type { Membership } from './removal-notice.ts'
import { Snapshotter } from './snapshotter.ts'
import { StateKeeper } from './state-keeper.ts'
import { stampedStore } from './stamped-store.ts'
import type { ClusterStatus, ReplicaWorkerData } from './replica-messages.ts'
import { Stamp, sharedMs } from './replica-messages.ts'
import { Ticker } from './ticker.ts'

const tickMs = 50
const dutiesMs = 250
const formationMs = 300
const forwardTimeoutMs = 5000
const joinTimeoutMs = 3000
/** How long a leader with a damaged state waits for another one to take over. */
const handOverMs = 2000
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

export interface ReplicaServerParts extends ReplicaWorkerData {
  readonly logger: Logger
  /** After each turn: entries were applied, or the cluster has changed. */
  readonly onTurn: () => void
  /** A broken invariant or a failed write, in whatever called it. */
  readonly guard: (work: () => void) => void
}

/** Everything on the replica thread but its port: log, catalog, core, peers, and their timers. */
export class ReplicaServer {
  readonly #parts: ReplicaServerParts
  readonly #log: RaftLog
  readonly #keeper: StateKeeper
  readonly #state: StateWriter
  readonly #stamp: Stamp
  readonly #marks: ClusterMarks
  readonly #snapshots: Snapshotter
  readonly #operations: Operations
  readonly #formation: ClusterFormation
  readonly #requests: PeerRequests
  #transport!: PeerTransport
  readonly #ask = askerOver(() => this.#transport)
  #raft: RaftServer | undefined
  #duties: LeaderDuties | undefined
  #ticker: Ticker | undefined
  readonly #timers: NodeJS.Timeout[] = []
  #config: Config | undefined
  #isStopped = false

  constructor(parts: ReplicaServerParts) {
    this.#parts = parts
    const { dataDirectory, settings, stamp } = parts
    this.#stamp = new Stamp(stamp)
    this.#log = new RaftLog(join(dataDirectory, 'raft.db'))
    this.#marks = new ClusterMarks(this.#log)
    const files = this.#openSnapshots()
    this.#keeper = new StateKeeper({
      dataDirectory,
      log: this.#log,
      logger: parts.logger,
      snapshots: () => files.list(),
      suspend: () => this.#suspend(),
      resume: () => this.#resume(),
      guard: parts.guard,
      checkEveryMs: settings.stateCheckMs,
    })
    this.#state = this.#keeper.state
    this.#snapshots = new Snapshotter({
      files,
      onDamage: (reason) => void this.#keeper.onDamage(reason),
      log: this.#log,
      state: this.#state,
      driver: () => this.#raft?.driver,
      logger: parts.logger,
      guard: parts.guard,
    })
    this.#operations = new Operations({
      raft: () => this.#raft,
      self: settings.id,
      forward: (to, kind, body) =>
        this.#transport.request({ id: to }, kind, body, forwardTimeoutMs),
      snapshot: () => this.#snapshots.makeNow(),
      join: (address) =>
        joinAt(withPort(address, 8300), {
          formation: this.#formation,
          clusterId: () => this.#marks.clusterId,
        }),
    })
    this.#formation = this.#makeFormation()
    this.#requests = new PeerRequests({
      settings,
      raft: () => this.#raft,
      formation: this.#formation,
      operations: this.#operations,
      cluster: () => ({
        address: this.#transport.address,
        clusterId: this.#marks.clusterId,
        epoch: this.#marks.epoch,
        pledge: this.#marks.pledge,
      }),
      notices: new PeerNotices(parts.logger, clock),
    })
  }

  get raft(): RaftServer | undefined {
    return this.#raft
  }

  get operations(): Operations {
    return this.#operations
  }

  get serverPort(): number {
    return this.#transport.port
  }

  /** Opens the port for the other servers and begins; rejects with `port-in-use`, `bind-failed`. */
  async start(): Promise<void> {
    const { settings, logger, guard } = this.#parts
    const { id, name, advertiseAddress, bindAddress, serverPort, tls } = settings
    // With port 0 the address is known once the port is open.
    const address = serverPort === 0 ? undefined : hostPort(advertiseAddress, serverPort)
    this.#transport = await openPeerTransport({
      self: { id, name, address },
      clusterId: () => this.#marks.clusterId,
      epoch: () => this.#marks.epoch,
      protocol: { min: 1, max: 1 },
      listen: { address: bindAddress, port: serverPort },
      tls,
      logger,
      clock,
      random: Math.random,
      onMessage: (message) => guard(() => this.#onMessage(message)),
      onTurnEnd: () => guard(() => this.#raft?.turn()),
      onRequest: (from, kind, body) => this.#requests.answer(from, kind, body),
      onConnectionLost: (lost) => this.#input((raft) => raft.connectionLost(lost)),
      onUnreachable: (peer) => this.#input((raft) => raft.driver.raft.unreachable(peer)),
      onHeard: (peer) => this.#duties?.heard(peer),
      snapshots: this.#snapshots.files,
      onSnapshotSent: (peer, ok) => this.#input((raft) => raft.snapshotSent(peer, ok)),
    })
    if (this.#hasCluster) {
      this.#begin()
      void this.#formation.greet()
    } else if (settings.bootstrapExpect !== 1 || !(await this.#formation.attempt())) this.#form()
    this.#keeper.start()
    const notice = this.#makeRemovalNotice()
    const look = (): void => {
      if (this.#keeper.damage === undefined) this.#duties?.check()
      notice.check()
    }
    this.#timers.push(setInterval(() => guard(look), dutiesMs))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#keeper.stop()
    for (const timer of this.#timers) clearInterval(timer)
    this.#ticker?.stop()
    await this.#transport.close()
    this.#state.close()
    this.#log.close()
  }

  /** To be called when nothing waits: moves both WALs into their files and drops old log. */
  tidy(): void {
    if (this.#keeper.damage !== undefined) return
    this.#stamp.enter()
    this.#snapshots.tidy()
    this.#log.checkpoint()
    this.#stamp.leave()
  }

  /** Changes when {@link status} does, what every entry changes aside; cheap enough for every turn. */
  statusKey(): string {
    return `${clusterKey(this.#raft, this.#marks)} ${this.#keeper.damage ?? ''}`
  }

  status(): ClusterStatus {
    return clusterStatus(this.#raft, this.#marks, this.#keeper)
  }

  get #hasCluster(): boolean {
    return this.#marks.clusterId !== undefined
  }

  #openSnapshots(): SnapshotStore {
    const { dataDirectory } = this.#parts
    return new SnapshotStore({
      directory: join(dataDirectory, 'snapshots'),
      statePath: join(dataDirectory, 'state.db'),
      identity: () => ({ clusterId: this.#marks.clusterId ?? '', epoch: this.#marks.epoch }),
      current: () => this.#log.snapshot(),
    })
  }

  /** Says to main and to DNS that nothing is answered, and hands over what it leads. */
  async #suspend(): Promise<void> {
    this.#parts.onTurn()
    new Versions(this.#parts.versions).bumpAll()
    const raft = this.#raft
    if (raft === undefined) return
    if (raft.isLeader && raft.status.config.voters.length > 1) {
      const moved = this.#operations.run({ kind: 'transfer', to: undefined }).catch(() => '')
      await Promise.race([moved, new Promise((resolve) => setTimeout(resolve, handOverMs))])
    }
    raft.pause()
  }

  #resume(): void {
    new Versions(this.#parts.versions).bumpAll()
    this.#raft?.resume()
    this.#parts.onTurn()
  }

  #input(input: (raft: RaftServer) => void): void {
    const raft = this.#raft
    if (raft === undefined || this.#isStopped) return
    this.#parts.guard(() => {
      input(raft)
      raft.turn()
    })
  }

  #onMessage(message: Message): void {
    if (!this.#isStopped) this.#raft?.step(message)
  }

  /** The core begins when this server has a cluster, never before. */
  #begin(): void {
    const { settings, versions, logger, guard } = this.#parts
    const raft = new RaftServer({
      id: settings.id,
      store: stampedStore(this.#log, this.#stamp),
      machine: new CatalogStateMachine({
        state: this.#state,
        versions: new Versions(versions),
        snapshotPath: (snapshot) => this.#snapshots.pathOf(snapshot),
        onApplied: (index, term, outcome) => this.#raft?.proposals.onApplied(index, term, outcome),
        onRestored: (index) => this.#raft?.proposals.onRestored(index),
      }),
      transport: this.#transport,
      forward: (to, proposals) => this.#forward(to, proposals),
      random: Math.random,
      nowMs: sharedMs,
      wallMs: clock.wallMs,
      onTurn: () => this.#afterTurn(),
      onLease: (untilMs) => this.#stamp.setLease(untilMs),
    })
    this.#raft = raft
    this.#duties = new LeaderDuties({
      status: () => raft.status,
      catalog: this.#state.catalog,
      nowMs: clock.monotonicMs,
      silenceMs: settings.silenceMs,
      changeMembers: (change) => {
        raft.driver.raft.proposeConfChange(change)
        raft.turn()
      },
      propose: (command, cause) => this.#proposeOwn(command, cause),
    })
    this.#ticker = new Ticker({
      tickMs,
      electionTicks: defaultLimits.electionTicks,
      nowMs: clock.monotonicMs,
      onTicks: (count) => guard(() => raft.tick(count)),
      onTimer: (lateMs) => this.#stamp.tickDelays.note(lateMs),
      onStall: (elapsedMs) =>
        logger.warn({ elapsedMs: Math.round(elapsedMs) }, 'this process stood still'),
    })
    raft.leadAlone()
    raft.turn()
    if (!this.#marks.isCaughtUp) void this.#catchUp(raft)
  }

  /** A barrier that holds proves it: everything its leader had committed is applied here. */
  async #catchUp(raft: RaftServer): Promise<void> {
    while (!this.#isStopped && !this.#marks.isCaughtUp) {
      if (!(await raft.readBarrier()) || this.#isStopped) continue
      this.#marks.setCaughtUp()
      this.#parts.onTurn()
    }
  }

  #afterTurn(): void {
    const raft = this.#raft
    if (raft === undefined) return
    const { state } = raft.driver.raft
    if (state.config !== this.#config) {
      this.#config = state.config
      this.#transport.setPeers(new Map(Object.entries(state.config.addresses)))
    }
    if (state.leader !== undefined && state.electionElapsed <= 2) this.#stamp.noteContact()
    this.#snapshots.maybeMake()
    this.#parts.onTurn()
  }

  #forward(to: NodeId, proposals: readonly string[]): Promise<readonly ProposalResult[]> {
    return this.#ask({ id: to }, 'propose', proposals, forwardTimeoutMs)
  }

  #proposeOwn(command: UpdateCheckCommand, cause: string): void {
    const { settings } = this.#parts
    const proposal = {
      version: 1,
      requestId: `leader-${randomUUID()}`,
      actor: `leader ${settings.name}`,
      cause,
      body: command,
    }
    this.#raft?.propose(JSON.stringify(proposal), false, () => {})
    this.#raft?.turn()
  }

  #makeRemovalNotice(): RemovalNotice {
    const { settings, logger } = this.#parts
    return new RemovalNotice({
      self: settings.id,
      hasLeader: () => this.#raft === undefined || this.#raft.status.leader !== undefined,
      others: () => {
        const config = this.#raft?.status.config
        return config === undefined ? [] : members(config).filter((id) => id !== settings.id)
      },
      ask: (id) => this.#ask<Membership>({ id }, 'membership', settings.id, joinTimeoutMs),
      logger,
    })
  }

  #makeFormation(): ClusterFormation {
    const { settings, logger } = this.#parts
    const { id, name, advertiseAddress, bootstrapExpect, retryJoin } = settings
    const address = (): string => hostPort(advertiseAddress, this.#transport.port)
    return new ClusterFormation({
      self: {
        id,
        name,
        expect: bootstrapExpect,
        get address() {
          return address()
        },
      },
      retryJoin: retryJoin.map((address) => withPort(address, 8300)),
      invitedBy: () => this.#transport.invitedBy(),
      pledge: () => this.#marks.pledge,
      setPledge: (pledge) => this.#marks.setPledge(pledge),
      newClusterId: randomUUID,
      request: (address, kind, body) => this.#ask({ address }, kind, body, joinTimeoutMs),
      found: (clusterId, founders) => this.#found(clusterId, founders),
      join: (clusterId, epoch) => {
        this.#marks.setEpoch(epoch)
        this.#marks.setClusterId(clusterId)
        logger.info({ clusterId }, 'joined a cluster')
        this.#begin()
      },
      logger,
    })
  }

  /** The first entry, the same on every founder: the configuration of them all. */
  #found(clusterId: string, founders: Readonly<Record<NodeId, string>>): void {
    const { logger } = this.#parts
    const voters = Object.keys(founders).toSorted()
    const addresses = Object.fromEntries(voters.map((id) => [id, founders[id] ?? '']))
    const config = { voters, addresses, votersOutgoing: [], learners: [], prevConfIndex: 0 }
    const write = bootstrapWrite(this.#log.state(), config)
    // Undefined after a stop right behind the write: all that is missing then is the id.
    if (write !== undefined) this.#log.write(write, () => {})
    this.#marks.setClusterId(clusterId)
    logger.info({ clusterId, servers: Object.keys(founders).length }, 'a new cluster begins')
    this.#begin()
  }

  #form(): void {
    const attempt = async (): Promise<void> => {
      const isFormed = await this.#formation.attempt()
      if (isFormed || this.#isStopped) return
      const waitMs = formationMs * (0.5 + Math.random())
      this.#timers.push(setTimeout(() => void attempt().catch(this.#fail), waitMs))
    }
    void attempt().catch(this.#fail)
  }

  readonly #fail = (error: unknown): void => {
    this.#parts.guard(() => {
      throw error
    })
  }
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function withPort(address: string, port: number): string {
  if (/^\[.*\]:\d+$/.test(address) || /^[^:]+:\d+$/.test(address)) return address
  return hostPort(address, port)
}

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { AuditTrail } from '../audit/trail.ts'
import { openVersions, stateVersion } from '../state/families.ts'
import type { Config } from '../raft/config.ts'
import type { Message } from '../raft/message.ts'
import type { NodeId } from '../raft/entry.ts'
import type { GateFigures } from '../net/connections/gate.ts'
import { PeerNotices } from '../process/peer-notices.ts'
import type { PeerTransport } from '../peers/transport.ts'
import { RaftLog } from '../storage/log/raft-log.ts'
import type { SnapshotStore } from '../storage/snapshot/snapshot.ts'
import type { StateWriter } from '../storage/state.ts'
import { EpochFence, triedIn } from './cluster/epoch-fence.ts'
import { auditedBy, openAudit } from './auditing.ts'
import { untilCaughtUp } from './catching-up.ts'
import { CatalogStateMachine } from './catalog-state-machine.ts'
import type { ClusterFormation } from './cluster/formation.ts'
import { ClusterMarks } from './cluster/marks.ts'
import { clusterKey, clusterStatus } from './cluster/status.ts'
import { finishFounding } from './cluster/founding.ts'
import { joinAt, ownPlace } from './cluster/joining.ts'
import { diskSpaceOf } from './disk-space.ts'
import type { DiskSpace } from './disk-space.ts'
import { allDuties } from './duties/all-duties.ts'
import type { AllDuties } from './duties/all-duties.ts'
import type { OwnCommand } from './duties/duty.ts'
import { ownProposal } from './duties/member-silence.ts'
import { memberSnapshots } from './state/member-snapshots.ts'
import { addressesIn, openStateKeeper } from './state/open-keeper.ts'
import { Operations } from './writes/operations.ts'
import { MemberQuestions } from './cluster/member-questions.ts'
import { openFormation } from './cluster/open-formation.ts'
import { openPeerPort } from './cluster/peer-port.ts'
import { askerOver, forwarderOver } from './cluster/peer-questions.ts'
import { PeerRequests } from './writes/peer-requests.ts'
import { formatRefusal } from './writes/format-guard.ts'
import { failureBy } from './writes/proposals.ts'
import { RaftServer } from './raft-server.ts'
import { electionMs, replicaTicker } from './replica-ticker.ts'
import { logMoves } from './duties/member-moves.ts'
import { openSnapshots, Snapshotter } from './state/snapshotter.ts'
import { SnapshotLending } from './state/snapshot-lending.ts'
import type { StateKeeper } from './state/keeper.ts'
import { stampedStore } from './stamped-store.ts'
import { Stamp, sharedMs, type ClusterStatus, type ReplicaWorkerData } from './messages.ts'
import type { Ticker } from './ticker.ts'

const dutiesMs = 250
const formationMs = 300
const forwardTimeoutMs = 5000
/** How long a start waits for the state of another server. */
const lostMs = 2000
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
  readonly #lending: SnapshotLending
  readonly operations: Operations
  readonly #disk: DiskSpace
  readonly #formation: ClusterFormation
  readonly #requests: PeerRequests
  readonly #fence: EpochFence
  readonly #questions: MemberQuestions
  readonly #notices: PeerNotices
  readonly audit: AuditTrail | undefined
  #transport!: PeerTransport
  readonly #nameOf = (id: NodeId) => this.#state.catalog.nodeById(id)?.name
  readonly #ask = askerOver(() => this.#transport)
  #raft: RaftServer | undefined
  #duties: AllDuties | undefined
  #ticker: Ticker | undefined
  readonly #timers: NodeJS.Timeout[] = []
  #config: Config | undefined
  #isStopped = false

  constructor(parts: ReplicaServerParts) {
    // After the stop, the files are closed.
    this.#parts = { ...parts, guard: (work) => (this.#isStopped ? undefined : parts.guard(work)) }
    const { dataDirectory, settings, stamp } = parts
    this.#stamp = new Stamp(stamp)
    this.#disk = diskSpaceOf(parts, () => this.#checkpoint(() => this.#snapshots.giveBack()))
    this.#log = new RaftLog(join(dataDirectory, 'raft.db'))
    this.#marks = new ClusterMarks(this.#log)
    this.#marks.claim(settings.id, dataDirectory)
    finishFounding(this.#log, this.#marks)
    const files = openSnapshots(dataDirectory, this.#marks, this.#log)
    this.#keeper = this.#openState(files)
    this.#state = this.#keeper.state
    this.audit = openAudit({ ...parts, log: this.#log, state: this.#state })
    this.#snapshots = this.#makeSnapshotter(files)
    this.#lending = this.#makeLending(files)
    this.operations = this.#makeOperations()
    this.#formation = this.#makeFormation()
    this.#fence = new EpochFence({
      self: settings.id,
      marks: this.#marks,
      raft: () => this.#raft,
      tried: () => triedIn(this.#transport.peers()),
      nowMs: clock.monotonicMs,
      logger: parts.logger,
      onFenced: () => {
        this.#transport.renew()
        parts.onTurn()
      },
    })
    this.#notices = new PeerNotices(parts.logger, clock)
    this.#questions = new MemberQuestions({
      settings,
      raft: () => this.#raft,
      ask: this.#ask,
      toldAt: (id, address, isProven) => this.#transport.toldAt(id, address, isProven),
      logger: parts.logger,
      nowMs: clock.monotonicMs,
    })
    this.#requests = new PeerRequests({
      settings,
      raft: () => this.#raft,
      formation: this.#formation,
      operations: this.operations,
      cluster: () => ({
        address: this.#transport.address,
        clusterId: this.#marks.clusterId,
        epoch: this.#marks.epoch,
        pledge: this.#marks.pledge,
        places: this.#transport.places,
      }),
      state: () => this.#keeper,
      lend: (to, wish) => this.#lending.lend(to, wish),
      notices: this.#notices,
    })
  }

  get raft(): RaftServer | undefined {
    return this.#raft
  }

  get serverPort(): number {
    return this.#transport.port
  }

  /** The connections that others have opened to the port. */
  get connections(): GateFigures {
    return this.#transport.connections
  }

  readonly useTls: PeerTransport['useTls'] = (tls) => this.#transport.useTls(tls)

  /** Opens the port for the other servers and begins; rejects with `port-in-use`, `bind-failed`. */
  async start(): Promise<void> {
    const { settings, logger, guard } = this.#parts
    const { id, name, advertiseAddress, bindAddress, serverPort, tls, secret, peerLimits } =
      settings
    await this.#disk.start()
    this.#transport = await openPeerPort(settings, logger, {
      self: { id, name, address: undefined, host: advertiseAddress },
      clusterId: () => this.#marks.clusterId,
      epoch: () => this.#marks.epoch,
      newestEpoch: () => this.#marks.newestEpoch,
      onEpoch: (epoch) => guard(() => this.#fence.learn(epoch)),
      protocol: { min: 1, max: 1 },
      listen: { address: bindAddress, port: serverPort },
      tls,
      limits: peerLimits,
      secret,
      nameOf: this.#nameOf,
      logger,
      clock,
      random: Math.random,
      onMessage: (message) => guard(() => this.#onMessage(message)),
      onTurnEnd: () => guard(() => this.#raft?.turn()),
      onRequest: (from, kind, body) => this.#requests.answer(from, kind, body),
      onConnectionLost: (lost) => this.#input((raft) => raft.connectionLost(lost)),
      onUnreachable: (peer) => this.#input((raft) => raft.driver.raft.unreachable(peer)),
      onHeard: (peer) => this.#duties?.silence.heard(peer),
      snapshots: memberSnapshots({
        files: this.#snapshots.files,
        raft: () => this.#raft,
        log: this.#log,
        isLost: () => this.#keeper.isLost,
        met: (stranger) => this.#questions.met(stranger),
      }),
      onSnapshotSent: (peer, ok) => {
        this.#lending.onSent(peer, ok)
        this.#input((raft) => raft.snapshotSent(peer, ok))
      },
    })
    const kept = this.#keeper.isLost ? this.#keeper.start() : undefined
    if (this.#marks.clusterId !== undefined) {
      if (kept === undefined) this.#begin()
    } else if (settings.bootstrapExpect !== 1 || !(await this.#formation.attempt())) this.#form()
    // With a healthy cluster it is there in a moment, and no client sees a server without a state.
    await Promise.race([kept ?? this.#keeper.start(), sleep(lostMs, undefined, { ref: false })])
    const look = (): void => {
      if (this.#keeper.damage === undefined) this.#duties?.runner.check()
      this.#questions.check()
    }
    this.#timers.push(setInterval(() => guard(look), dutiesMs))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    const checked = this.#keeper.stop()
    for (const timer of this.#timers) clearInterval(timer)
    this.#ticker?.stop()
    this.#disk.stop()
    await Promise.all([this.#transport.close(), checked])
    await this.audit?.close()
    this.#state.close()
    this.#log.close()
  }

  /** For when nothing waits: moves both WALs into their files, drops old log. False: a reader was in the way. */
  tidy(): boolean {
    return this.#checkpoint(() => this.#snapshots.tidy()) ?? true
  }

  /** Not of a state that may be damaged. A disk that hangs during this costs leadership. */
  #checkpoint<T>(move: () => T): T | undefined {
    const { damage } = this.#keeper
    if (this.#isStopped || damage !== undefined) return undefined
    return this.#stamp.around(move)
  }

  /** A read of another thread met what looks like damage of state.db. */
  suspect(reason: string): void {
    this.#keeper.suspect(reason)
  }

  /** Changes when {@link status} does, what every entry changes aside; cheap enough for every turn. */
  statusKey(): string {
    return clusterKey(this.#raft, this.#marks, this.#keeper) + (this.audit?.failure ?? '')
  }

  status(): ClusterStatus {
    const status = clusterStatus(this.#raft, this.#marks, this.#keeper)
    const { tlsFigures: peerTls } = this.#transport
    const own = { disk: this.#disk.figures, audit: this.audit?.figures, peerTls }
    return { ...status, ...this.#duties?.figures, ...own }
  }

  #openState(files: Snapshotter['files']): StateKeeper {
    return openStateKeeper({
      server: this.#parts,
      log: this.#log,
      files,
      raft: () => this.#raft,
      handOver: () => this.operations.run({ kind: 'transfer', to: undefined }),
      ask: (target, kind, body, timeoutMs) => this.#ask(target, kind, body, timeoutMs),
      isStopped: () => this.#isStopped,
      detach: () => this.#end(),
      attach: () => this.#begin(),
    })
  }

  /** The core goes, with what only it needs; members are known by the log until there is another one. */
  #end(): void {
    this.#ticker?.stop()
    this.#raft?.end(failureBy(svcdError('state-damaged', { reason: this.#keeper.damage ?? '' })))
    this.#raft = undefined
    this.#transport.setPeers(addressesIn(this.#log))
  }

  #makeOperations(): Operations {
    return new Operations({
      raft: () => this.#raft,
      self: this.#parts.settings.id,
      forward: (to, kind, body) =>
        this.#transport.request({ id: to }, kind, body, forwardTimeoutMs),
      snapshot: () => this.#snapshots.makeNow(),
      health: () => JSON.stringify(this.#duties?.healths.list() ?? []),
      sessions: () => this.#duties?.sessions,
      idsAt: (address) => this.#transport.idsAt(address),
      join: (address) =>
        joinAt(address, {
          own: ownPlace(this.#parts.settings, this.serverPort),
          formation: this.#formation,
          clusterId: () => this.#marks.clusterId,
        }),
    })
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
    if (this.#isStopped) return
    const { from, type, term } = message
    const ignored = this.#raft?.step(message)
    if (ignored === 'not-a-member') {
      this.#transport.counters.messagesForeign++
      this.#questions.met(from)
    } else if (ignored === 'term-too-far') {
      const text = `ignoring a ${type} from ${from}: no server can have reached term ${term}`
      this.#notices.warn(from, 'term', { peer: from, term }, text)
    }
  }

  /** The core begins when this server has a cluster, never before. */
  #begin(): void {
    const { settings, versions, logger, guard } = this.#parts
    const raft = new RaftServer({
      id: settings.id,
      store: stampedStore(this.#log, this.#stamp),
      machine: new CatalogStateMachine({
        state: this.#state,
        versions: openVersions(versions),
        snapshotPath: (snapshot) => this.#snapshots.pathOf(snapshot),
        takeParsed: (index, term) => this.#raft?.takeParsed(index, term),
        onApplied: (index, term, outcome) => this.#raft?.proposals.onApplied(index, term, outcome),
        onRestored: (index) => this.#raft?.onRestored(index),
        onSessions: () => this.#duties?.sessions.changed(),
        onAudited: auditedBy(this.audit),
        onDamage: (reason) => this.#keeper.noteForNextStart(reason),
      }),
      transport: this.#transport,
      forward: forwarderOver(() => this.#transport, forwardTimeoutMs),
      refusal: (read) =>
        this.#disk.refusal(read) ??
        formatRefusal(read, this.#duties?.comparison.formats, this.#nameOf),
      random: Math.random,
      nowMs: sharedMs,
      wallMs: clock.wallMs,
      onTurn: () => this.#afterTurn(),
      onAlone: (isAlone) => this.#stamp.setAlone(isAlone),
      onFatal: this.#fail,
    })
    this.#raft = raft
    this.#fence.begin(raft)
    this.#duties = this.#makeDuties(raft)
    this.#ticker = replicaTicker({
      stamp: this.#stamp,
      logger,
      nowMs: clock.monotonicMs,
      onTicks: (count) =>
        guard(() => {
          this.#fence.check()
          raft.tick(count)
        }),
    })
    raft.leadAlone()
    raft.turn()
    if (this.#marks.isCaughtUp) return
    const isOver = (): boolean => this.#isStopped || this.#marks.isCaughtUp || this.#raft !== raft
    void untilCaughtUp(raft, isOver, () => {
      this.#marks.setCaughtUp()
      this.#parts.onTurn()
    })
  }

  #afterTurn(): void {
    const raft = this.#raft
    if (raft === undefined) return
    const { state } = raft.driver.raft
    if (state.config !== this.#config) {
      logMoves(this.#config, state.config, (id) => this.#nameOf(id) ?? id, this.#parts.logger)
      this.#config = state.config
      this.#transport.setPeers(new Map(Object.entries(state.config.addresses)))
    }
    if (state.leader !== undefined && state.electionElapsed <= 2) this.#stamp.noteContact()
    this.#snapshots.maybeMake()
    this.#parts.onTurn()
  }

  #proposeOwn(command: OwnCommand, cause: string): void {
    const bytes = Buffer.from(ownProposal(this.#parts.settings.name, command, cause))
    this.#raft?.propose({ bytes }, false, () => {})
    this.#raft?.turn()
  }

  #makeDuties(raft: RaftServer): AllDuties {
    const { settings, logger } = this.#parts
    return allDuties({
      status: () => raft.status,
      catalog: this.#state.catalog,
      sessions: this.#state.sessions,
      tokens: this.#state.tokens,
      autopilot: this.#state.autopilot,
      dnsCookies: this.#state.dnsCookies,
      newSecret: () => randomBytes(16).toString('hex'),
      electionMs,
      termAt: (index) => raft.driver.raft.state.log.term(index),
      wallMs: clock.wallMs,
      nowMs: clock.monotonicMs,
      silenceMs: settings.silenceMs,
      changeMembers: (change) => {
        const { kind } = raft.driver.raft.proposeConfChange(change)
        raft.turn()
        return kind === 'accepted'
      },
      address: () => this.#transport.address,
      moved: () => this.#transport.moved,
      propose: (command, cause) => this.#proposeOwn(command, cause),
      format: stateVersion,
      usedFormat: () => this.#state.usedFormat,
      own: () => this.#keeper.report(),
      ask: (peer, kind, body) => this.#ask({ id: peer }, kind, body, forwardTimeoutMs),
      onOdd: (right) => this.#keeper.onDiffers(right),
      logger,
    })
  }

  #makeSnapshotter(files: SnapshotStore): Snapshotter {
    return new Snapshotter({
      ...this.#parts,
      files,
      onDamage: (reason) => void this.#keeper.onDamage(reason),
      log: this.#log,
      state: this.#state,
      driver: () => this.#raft?.driver,
      nowMs: clock.monotonicMs,
    })
  }

  #makeLending(files: SnapshotStore): SnapshotLending {
    return new SnapshotLending({
      self: this.#parts.settings.id,
      raft: () => (this.#keeper.damage === undefined ? this.#raft : undefined),
      files,
      make: () => this.#snapshots.makeNow(),
      send: (message) => this.#transport.send([message]),
    })
  }

  #makeFormation(): ClusterFormation {
    const { settings, logger } = this.#parts
    return openFormation({
      settings,
      log: this.#log,
      marks: this.#marks,
      transport: () => this.#transport,
      ask: this.#ask,
      logger,
      nowMs: clock.monotonicMs,
      begin: () => this.#begin(),
    })
  }

  #form(): void {
    const attempt = async (): Promise<void> => {
      const isFormed = await this.#formation.attempt()
      if (isFormed || this.#isStopped) return
      const again = (): void => void attempt().catch(this.#fail)
      this.#timers.push(setTimeout(again, formationMs * (0.5 + Math.random())))
    }
    void attempt().catch(this.#fail)
  }

  readonly #fail = (error: unknown): void => {
    this.#parts.guard(() => {
      throw error
    })
  }
}

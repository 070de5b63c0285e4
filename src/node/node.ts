import { join } from 'node:path'
import { AccessControl } from './access-control.ts'
import type { Identity } from '../ports/identity.ts'
import type { NodeLog } from '../ports/log.ts'
import type { ReloadReport } from '../ports/reload.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { version } from '../base/version.ts'
import { openVersions } from '../state/families.ts'
import type { Config } from '../config/options.ts'
import { openFilesMax } from '../process/descriptor-limit.ts'
import type { DescriptorPlan } from '../net/connections/descriptor-plan.ts'
import { StateReader } from '../storage/state.ts'
import { advertisedAddress } from '../process/advertised-address.ts'
import { ChangeWaiters } from '../reads/change-waiters.ts'
import { LocalReads } from '../reads/local-reads.ts'
import type { LocalReadsParts } from '../reads/local-reads.ts'
import { auditSettings } from './auditing.ts'
import { connectionFigures, openConnections, peerLimitsOf } from './connections.ts'
import { openDataDirectory } from '../replica/offline/data-directory.ts'
import { DnsMode } from '../resolver/mode.ts'
import { LeadershipNotice } from '../replica/cluster/leadership-notice.ts'
import { LimitedLines } from '../process/limited-lines.ts'
import { portsOf } from './ports.ts'
import { serveDns } from './serve-dns.ts'
import { serveHttp } from './serve-http.ts'
import { definitionsOf, openAgent, startAgent } from './open-agent.ts'
import { nodeIdOf } from '../replica/offline/node-id.ts'
import type { BoundAddress } from '../base/host-port.ts'
import { openPortWarning, peerSecret } from '../config/peer-secret.ts'
import { NodeCertificates } from './certificates.ts'
import { reloading } from './reloading.ts'
import type { Reread } from './reloading.ts'
import { Replica } from '../replica/replica.ts'
import type { ReplicaSettings } from '../replica/messages.ts'
import { ServiceManager } from '../process/service-manager.ts'
import type { DnsService } from '../resolver/service.ts'
import { SlicedReads } from '../reads/sliced-reads.ts'
import { SnapshotService } from '../archive/service.ts'
import { statusLine } from '../observe/status-line.ts'
import { compactSmallHeaps } from '../process/heap-compaction.ts'
import { boundMemory } from '../process/thread-heaps.ts'
import { endProcess } from '../process/threads.ts'

export interface RunningNode {
  readonly http: readonly BoundAddress[]
  readonly https: readonly BoundAddress[]
  readonly dns: readonly BoundAddress[]
  readonly dnsTls: readonly BoundAddress[]
  readonly dnsHttps: readonly BoundAddress[]
  /**
   * Reads definition files, zone files and certificates again. Faulty ones are left out, and their
   * served versions stay.
   */
  reload(): Promise<ReloadReport>
  /** Resolves when this server has left its cluster: it is to be stopped then. */
  readonly left: Promise<void>
  /** Stops taking work, lets what is in flight finish, closes the files. */
  stop(): Promise<void>
}

const serverPortDefault = 8300

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

/** How long a start waits for a leader; its ports are to be open within 5 s of it. */
const patienceMs = 3000
/** How long a stop waits for requests and writes that are under way. */
const stopGraceMs = 2000

const noLog: NodeLog = { recent: () => [], follow: () => () => {} }

interface Stops {
  /** Come before all of them. */
  readonly begins: (() => void)[]
  /** The started parts, to be stopped in the reverse order. */
  readonly parts: (() => Promise<void> | void)[]
}

/**
 * Starts one node: data directory, replica, agent, DNS, HTTP, in this order, so that no part
 * answers before its data is there. It waits for a leader for a while, so that the first answers
 * are current; without one the ports open nevertheless. `hurry` ends that wait, `log` is where the
 * lines of `logger` can be read, `reread` judges options again at a reload. Rejects with the error
 * of the part that cannot start, after stopping the others.
 */
export async function startNode(
  config: Config,
  logger: Logger,
  hurry: AbortSignal = new AbortController().signal,
  log: NodeLog = noLog,
  reread?: Reread,
): Promise<RunningNode> {
  const service = ServiceManager.of(process.env, logger)
  const stops: Stops = { begins: [() => service.stopping()], parts: [] }
  try {
    const node = await start({ config, logger, stops, hurry, log, reread, service })
    service.ready()
    return node
  } catch (error) {
    await stopAll(stops)
    throw error
  }
}

interface Start {
  readonly config: Config
  readonly logger: Logger
  readonly stops: Stops
  readonly hurry: AbortSignal
  readonly log: NodeLog
  readonly reread: Reread | undefined
  readonly service: ServiceManager
}

/** Warns when everybody may speak as a server. */
function openCertificates(config: Config, logger: Logger, stops: Stops): NodeCertificates {
  const warning = openPortWarning(config)
  if (warning !== undefined) logger.warn({ bind: config.bindAddress }, warning)
  const certificates = new NodeCertificates(config, logger, clock)
  stops.parts.push(() => certificates.stop())
  return certificates
}

async function start(given: Start): Promise<RunningNode> {
  const { config, logger, stops, hurry, log, reread, service } = given
  stops.parts.push(boundMemory())
  const patience = patienceFor(patienceMs, hurry)
  const directory = openDataDirectory(config.dataDir)
  stops.parts.push(() => directory.release())
  const onDeath = dieWith(logger)
  const connections = openConnections(config, openFilesMax(), logger, clock)
  const certificates = openCertificates(config, logger, stops)
  const versions = openVersions()
  const nodeId = nodeIdOf(directory.path, config.nodeId, logger)
  const mode = new DnsMode(versions)
  const waiters = new ChangeWaiters(versions)
  const whenLed = new LeaderWatch()
  const leadership = new LeadershipNotice(nodeId, logger)
  let access: AccessControl | undefined
  const replica = await Replica.start({
    dataDirectory: directory.path,
    versions,
    logger,
    onDeath,
    settings: replicaSettings(config, nodeId, connections.plan, certificates),
    onApplied: () => waiters.changed(),
    onStatus: (status) => {
      mode.update()
      whenLed.see(status.leader?.id)
      leadership.update(status)
      access?.see(status.leader?.id === nodeId)
      service.status(() => statusLine(status))
    },
  })
  follow(replica, { certificates, mode, service, stops })
  await Promise.race([noteCurrent(replica, mode), patience])
  const identity = identityOf(config, nodeId, replica.serverPort)
  const statePath = join(directory.path, 'state.db')
  const onSuspicion = (reason: string): void => replica.suspect(reason)
  const state = stateReader(statePath, onSuspicion, stops)
  const sliced = slicedReads(statePath, onSuspicion, stops)
  const { plan } = connections
  const onAgent = { config, plan, identity, directory: directory.path, replica, state, versions }
  const lines = new LimitedLines(logger, clock)
  const agent = openAgent({ ...onAgent, clock, logger, lines, onDeath })
  stops.parts.push(() => agent.stop())
  await startAgent(agent, await definitionsOf(config), replica, hurry)
  whenLed.call(() => agent.onLeaderFound())
  await Promise.race([agent.registered, patience])
  const reads = { state, sliced, versions, waiters, damage: () => replica.status?.damage }
  access = openAccess(reads, replica, nodeId, given)
  const onDns = { config, logger, statePath, versions, mode, gate: connections.dns, access }
  const onFault = { onSuspicion, onDeath, certificates, clock, stops: stops.parts }
  const { dns, setZone, reopenQueryLog } = await serveDns({ ...onAgent, ...onDns, ...onFault })
  stops.parts.push(compactSmallHeaps(() => [replica.heapBytes, ...dnsHeaps(dns)]))
  const snapshots = snapshotsOf(directory.path, replica, state, logger)
  const setAcl = (acl: Config['acl']): void => access?.setOptions(acl)
  const reopen = { reopenAudit: () => replica.reopenAudit(), reopenQueryLog }
  const onReload = { config, reread, agent, certificates, setAcl, setZone, ...reopen, logger }
  const reload = service.around(reloading(onReload))
  const parts = { agent, sliced, waiters, dns, snapshots, lines, logger, log, reload, clock }
  const { backend, left } = portsOf({
    ...onAgent,
    ...parts,
    stops: stops.parts,
    connections: () => connectionFigures(connections, replica.connections),
    certificates: () => certificates.expiries,
  })
  const gate = connections.http
  const inHttp = { config, backend, dns, replica, access, certificates, gate, lines, logger, clock }
  const served = await serveHttp({ ...inHttp, directory: directory.path, stops: stops.parts })
  return { ...served, ...dnsEndpoints(dns), reload, left, stop: () => stopAll(stops) }
}

function dnsEndpoints(
  dns: DnsService | undefined,
): Pick<RunningNode, 'dns' | 'dnsTls' | 'dnsHttps'> {
  if (dns === undefined) return { dns: [], dnsTls: [], dnsHttps: [] }
  const { endpoints, encrypted } = dns
  return { dns: endpoints, dnsTls: encrypted.tls, dnsHttps: encrypted.https }
}

function dnsHeaps(dns: DnsService | undefined): readonly number[] {
  return dns === undefined ? [] : dns.figures.udp.map(({ heapBytes }) => heapBytes)
}

async function noteCurrent(replica: Replica, mode: DnsMode): Promise<void> {
  if (await replica.whenCurrent()) mode.noteCurrent()
}

/** Resolves after `ms`, or when there is a reason to hurry. */
function patienceFor(ms: number, hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
    if (hurry.aborted) resolve()
    hurry.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Calls when a leader is known that was not before. */
class LeaderWatch {
  #leader: string | undefined
  #onFound = (): void => {}

  call(onFound: () => void): void {
    this.#onFound = onFound
  }

  see(leader: string | undefined): void {
    if (leader === this.#leader) return
    this.#leader = leader
    if (leader !== undefined) this.#onFound()
  }
}

function stateReader(
  statePath: string,
  onSuspicion: (reason: string) => void,
  stops: Stops,
): StateReader {
  const state = new StateReader(statePath, onSuspicion)
  stops.parts.push(() => state.close())
  return state
}

function slicedReads(
  statePath: string,
  onSuspicion: (reason: string) => void,
  stops: Stops,
): SlicedReads {
  const sliced = new SlicedReads(statePath, onSuspicion)
  stops.parts.push(() => sliced.close())
  return sliced
}

async function stopAll({ begins, parts }: Stops): Promise<void> {
  for (const begin of begins) begin()
  for (let stop = parts.pop(); stop !== undefined; stop = parts.pop()) await stop()
}

/** A part that cannot continue takes the process with it: half a node would answer wrongly. */
function dieWith(logger: Logger): (error: unknown) => void {
  let isDying = false
  return (error) => {
    if (isDying) return
    isDying = true
    logger.error({ err: error }, 'the agent cannot continue and exits')
    endProcess(1)
  }
}

function replicaSettings(
  config: Config,
  id: string,
  plan: DescriptorPlan,
  certificates: NodeCertificates,
): ReplicaSettings {
  return {
    id,
    name: config.nodeName,
    datacenter: config.datacenter,
    bindAddress: config.bindAddress,
    advertiseAddress: advertisedAddress(config),
    serverPort: config.ports.server,
    // Beside any other agent; no other server has to find it.
    mayMovePort: config.dev && config.ports.server === serverPortDefault,
    bootstrapExpect: config.bootstrapExpect,
    retryJoin: config.retryJoin,
    diskReserveBytes:
      config.diskReserveMib === undefined ? undefined : config.diskReserveMib * 1024 * 1024,
    silenceMs: config.memberTimeoutSeconds * 1000,
    stateCheckMs: config.stateCheckSeconds * 1000,
    secret: peerSecret(config),
    tls: certificates.peers,
    peerLimits: peerLimitsOf(config, plan),
    audit: auditSettings(config),
  }
}

function identityOf(config: Config, nodeId: string, server: number): Identity {
  const { http, https, dns } = config.ports
  return {
    nodeName: config.nodeName,
    nodeId,
    datacenter: config.datacenter,
    server: config.server,
    version,
    address: advertisedAddress(config),
    domain: config.domain,
    ports: { http, https, dns, server },
    nodeMeta: config.nodeMeta,
  }
}

interface Followers extends Pick<Start, 'service' | 'stops'> {
  readonly certificates: NodeCertificates
  readonly mode: DnsMode
}

/** Connects the replica with what depends on it. */
function follow(replica: Replica, { certificates, mode, service, stops }: Followers): void {
  stops.parts.push(() => replica.stop())
  certificates.users.peers = (tls) => replica.useTls(tls)
  mode.begin(replica)
  stops.parts.push(() => mode.stop())
  stops.begins.push(() => replica.giveUpAfter(stopGraceMs))
  service.watch((silenceMs) => replica.isAlive(silenceMs))
}

/** The parts of access control that are there before DNS and HTTP are opened. */
function openAccess(
  reads: LocalReadsParts,
  replica: Replica,
  nodeId: string,
  { config, logger, stops }: Pick<Start, 'config' | 'logger' | 'stops'>,
): AccessControl {
  const families = new LocalReads(reads)
  const access = new AccessControl({ config, families, writes: replica, clock, logger })
  stops.parts.push(() => access.stop())
  access.see(replica.status?.leader?.id === nodeId)
  return access
}

function snapshotsOf(
  dataDirectory: string,
  replica: Replica,
  state: StateReader,
  logger: Logger,
): SnapshotService {
  return new SnapshotService({
    dataDirectory,
    makeSnapshot: () => replica.operate({ kind: 'snapshot' }),
    propose: (body, origin) => replica.propose(body, origin),
    state,
    memberIds: () => new Set((replica.status?.servers ?? []).map(({ id }) => id)),
    logger,
  })
}

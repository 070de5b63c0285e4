import { join } from 'node:path'
import { createHttpApi } from '../api/http-api.ts'
import type { Identity } from '../api/backend.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { version } from '../base/version.ts'
import { Versions } from '../catalog/versions.ts'
import type { Config } from '../config/options.ts'
import type { Zone } from '../dns/zone.ts'
import { probeHttp } from '../net/http-probe.ts'
import { AgentStore } from '../storage/agent-store.ts'
import { StateReader } from '../storage/state.ts'
import { advertisedAddress } from './addresses.ts'
import { Agent } from './agent.ts'
import { ChangeWaiters } from './change-waiters.ts'
import { nodeIdIn, openDataDirectory } from './data-directory.ts'
import { SharedMode } from './dns-messages.ts'
import { DnsService } from './dns-service.ts'
import type { Endpoint } from './dns-service.ts'
import { listenHttp } from './http-listeners.ts'
import { NodeBackend } from './node-backend.ts'
import { Replica } from './replica.ts'
import { zoneOf } from './zone.ts'
import { readZoneFiles } from './zone-files.ts'

export interface RunningNode {
  readonly http: readonly Endpoint[]
  readonly dns: readonly Endpoint[]
  /** Reads the zone files again. Rejects with `zone-invalid`; what was served before stays then. */
  reload(): Promise<void>
  /** Stops taking work, lets what is in flight finish, closes the files. */
  stop(): Promise<void>
}

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

/** What has been started, to be stopped in the reverse order. */
type Stops = (() => Promise<void> | void)[]

/**
 * Starts one node: data directory, replica, agent, DNS, HTTP, in this order, so that nothing is
 * answered before what it is answered from is there. Rejects with the error of the part that
 * cannot start, after stopping the others.
 */
export async function startNode(config: Config, logger: Logger): Promise<RunningNode> {
  const stops: Stops = []
  try {
    return await start(config, logger, stops)
  } catch (error) {
    await stopAll(stops)
    throw error
  }
}

async function start(config: Config, logger: Logger, stops: Stops): Promise<RunningNode> {
  const directory = openDataDirectory(config.dataDir)
  stops.push(() => directory.release())
  const onDeath = dieWith(logger)
  const versions = new Versions()
  const waiters = new ChangeWaiters(versions)
  const replica = await Replica.start({
    dataDirectory: directory.path,
    versions,
    logger,
    onDeath,
    onApplied: () => waiters.changed(),
  })
  stops.push(() => replica.stop())
  const identity = identityOf(config, config.nodeId ?? nodeIdIn(directory.path))
  const statePath = join(directory.path, 'state.db')
  const state = new StateReader(statePath)
  stops.push(() => state.close())
  const agent = new Agent({
    identity,
    store: new AgentStore(join(directory.path, 'agent.db'), { onLost: onDeath }),
    propose: (body, origin) => replica.propose(body, origin),
    read: (query) => state.read(query),
    probe: probeHttp,
    clock,
    random: Math.random,
    logger,
  })
  stops.push(() => agent.stop())
  await agent.start()
  const dns = await startDns(config, logger, { statePath, versions }, onDeath)
  if (dns !== undefined) stops.push(() => dns.stop())
  const backend = new NodeBackend({ identity, agent, replica, state, versions, waiters })
  const api = createHttpApi(backend, logger)
  stops.push(() => api.close())
  const http =
    config.ports.http < 0 ? [] : await listenHttp(api, config.clientAddresses, config.ports.http)
  const reload = async (): Promise<void> => dns?.setZone(zoneFrom(config))
  return { http, dns: dns?.endpoints ?? [], reload, stop: () => stopAll(stops) }
}

async function stopAll(stops: Stops): Promise<void> {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop()
}

/** A part that cannot go on takes the process with it: half a node would answer wrongly. */
function dieWith(logger: Logger): (error: unknown) => void {
  return (error) => {
    logger.error({ err: error }, 'the agent cannot go on and ends')
    process.exit(1)
  }
}

function identityOf(config: Config, nodeId: string): Identity {
  const { http, dns, server } = config.ports
  return {
    nodeName: config.nodeName,
    nodeId,
    datacenter: config.datacenter,
    server: config.server,
    version,
    address: advertisedAddress(config),
    domain: config.domain,
    ports: { http, dns, server },
  }
}

function zoneFrom(config: Config): Zone {
  return zoneOf(config, readZoneFiles(config.zonesDir), clock.wallMs())
}

async function startDns(
  config: Config,
  logger: Logger,
  { statePath, versions }: { statePath: string; versions: Versions },
  onDeath: (error: Error) => void,
): Promise<DnsService | undefined> {
  if (config.ports.dns < 0) return undefined
  const mode = new SharedMode()
  // The log is replayed and this server leads: what it knows is all there is.
  mode.value = 'ready'
  return DnsService.start({
    answering: {
      statePath,
      versions: versions.buffer,
      mode: mode.buffer,
      zone: zoneFrom(config),
      onlyPassing: config.dns.onlyPassing,
      udpSizeMax: config.dns.udpSizeMax,
    },
    addresses: config.clientAddresses,
    port: config.ports.dns,
    path: config.dns.udp,
    threads: config.dns.threads,
    logger,
    onDeath,
  })
}

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import { ConnectionBudget } from '../net/connections/budget.ts'
import type { PortLimits } from '../net/connections/budget.ts'
import { ConnectionGate } from '../net/connections/gate.ts'
import type { GateFigures } from '../net/connections/gate.ts'
import { descriptorPlan, descriptorsNeeded } from '../net/connections/descriptor-plan.ts'
import type { DescriptorNeeds, DescriptorPlan } from '../net/connections/descriptor-plan.ts'
import { HttpRefusals } from '../net/connections/http-refusal.ts'
import { defaultPeerLimits } from '../peers/limits.ts'
import type { PeerLimits } from '../peers/limits.ts'
import { PeerNotices } from '../process/peer-notices.ts'
import type { RequestLimits } from '../http/limit-watch.ts'
import type { ConnectionFigures } from '../observe/connection-metrics.ts'
import { dnsThreadsDefault } from '../resolver/threads/default-threads.ts'

/** How many connections the clients of this node may have, and what is kept back from them. */
export interface Connections {
  readonly plan: DescriptorPlan
  readonly http: ConnectionGate
  readonly dns: ConnectionGate
}

const perHttpClient = 200
const perDnsClient = 128
const probesMax = 256
const scriptsMax = 32
/** Room for so many is enough for most: limits that were not configured cause no warning. */
const clientsUsual = 4096

/** Of what clients may have in all, what is left to each of two ports whatever the other takes. */
const guaranteed = 0.25

/**
 * Divides the descriptors of this process, `limit` of them, and makes the gates of the client ports.
 * Warns when the limits of the options do not fit.
 */
export function openConnections(
  config: Config,
  limit: number,
  logger: Logger,
  clock: Clock,
): Connections {
  const needs = needsOf(config)
  const plan = descriptorPlan(limit, needs)
  const needed = descriptorsNeeded(needs)
  if (plan.clients < Math.min(needs.clients, clientsUsual)) {
    logger.warn({}, tooLow(limit, needed, plan, needs))
  }
  const budget = new ConnectionBudget(plan.clients)
  const { http, dns } = clientLimits(config, plan.clients)
  const notices = new PeerNotices(logger, clock)
  const refusals = new HttpRefusals()
  return {
    plan,
    http: new ConnectionGate({
      what: 'HTTP',
      budget: budget.port(http),
      notices,
      refuse: (socket, refusal) => refusals.refuse(socket, refusal),
    }),
    dns: new ConnectionGate({ what: 'DNS', budget: budget.port(dns), notices }),
  }
}

function needsOf({ limits, dns }: Config): DescriptorNeeds {
  return {
    clients: limits.httpMaxConns + dns.tcpMaxClients,
    peers: defaultPeerLimits.inboundMax,
    probes: probesMax,
    scripts: scriptsMax,
    dnsThreads: dns.threads ?? dnsThreadsDefault(),
  }
}

/** The limits of the two ports out of `clients` connections: each can have a quarter at any time. */
export function clientLimits(
  { limits, dns }: Pick<Config, 'limits' | 'dns'>,
  clients: number,
): { readonly http: PortLimits; readonly dns: PortLimits } {
  const quarter = Math.floor(clients * guaranteed)
  const httpLeft = Math.min(limits.httpMaxConns, quarter)
  const dnsLeft = Math.min(dns.tcpMaxClients, quarter)
  return {
    http: {
      openMax: Math.max(1, Math.min(limits.httpMaxConns, clients - dnsLeft)),
      ...perAddress(limits.httpMaxConnsPerClient, perHttpClient),
      // As Consul: a client that has too many is to learn it.
      atAddressMax: 'refuse',
    },
    dns: {
      openMax: Math.max(1, Math.min(dns.tcpMaxClients, clients - httpLeft)),
      ...perAddress(dns.tcpMaxClientsPerAddress, perDnsClient),
      // DNS has no words for a refusal, and a resolver opens its next connection without a loss.
      atAddressMax: 'displace',
    },
  }
}

/** Proxies and stub resolvers bring the connections of many: this machine has no limit unless given. */
function perAddress(
  given: number | undefined,
  byDefault: number,
): Pick<PortLimits, 'perAddressMax' | 'perLocalAddressMax'> {
  const max = given === 0 ? Infinity : given
  return { perAddressMax: max ?? byDefault, perLocalAddressMax: max ?? Infinity }
}

function tooLow(
  limit: number,
  needed: number,
  plan: DescriptorPlan,
  needs: DescriptorNeeds,
): string {
  const clients = `${plan.clients} client connections instead of ${needs.clients}`
  const others = `${plan.peers} server connections and ${plan.probes + plan.scripts} simultaneous probes`
  return (
    `this process may open ${limit} files, which is enough for ${clients}, ${others}. ` +
    `Raise the limit to ${needed} (ulimit -n, or LimitNOFILE= in the systemd unit), or lower -http-max-conns and -dns-tcp-max-clients`
  )
}

/** What the port of the servers may have of the descriptors. */
export function peerLimitsOf({ limits }: Config, plan: DescriptorPlan): Partial<PeerLimits> {
  return {
    inboundMax: plan.peers,
    greetingsMax: Math.max(1, Math.ceil(plan.peers / 4)),
    perAddressMax: limits.rpcMaxConnsPerClient === 0 ? Infinity : limits.rpcMaxConnsPerClient,
    handshakeTimeoutMs: limits.rpcHandshakeTimeoutSeconds * 1000,
  }
}

export function connectionFigures(
  { http, dns }: Connections,
  server: GateFigures | undefined,
): ConnectionFigures {
  return { http: http.figures, dns: dns.figures, ...(server === undefined ? {} : { server }) }
}

/** How many requests one client may send. */
export function requestLimits({ limits }: Pick<Config, 'limits'>): RequestLimits {
  const { writeRate: perSecond, writeBurst } = limits
  const writes = perSecond === 0 ? undefined : { perSecond, burst: writeBurst ?? perSecond * 10 }
  return {
    writes,
    waitingMax: limits.httpMaxWaitingPerClient,
    longMax: limits.httpMaxLongAnswersPerClient,
  }
}

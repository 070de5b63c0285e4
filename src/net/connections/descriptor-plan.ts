/** What the descriptors of a process are for. They come to no more than it may have. */
export interface DescriptorPlan {
  /** Connections of clients, over HTTP and DNS together. */
  readonly clients: number
  /** Connections of other servers that this one takes. */
  readonly peers: number
  /** Concurrent probes over the network. */
  readonly probes: number
  /** Concurrent scripts. */
  readonly scripts: number
}

export interface DescriptorNeeds {
  /** Connections of clients that the options allow. */
  readonly clients: number
  readonly peers: number
  readonly probes: number
  readonly scripts: number
  /** Threads that answer DNS. */
  readonly dnsThreads: number
}

/**
 * Databases, logs, event loops, listening sockets, snapshots and zone files that are being read, and
 * a few connections to other servers. An idle agent with one dns thread has 47 open.
 */
const filesMin = 96
const filesPerDnsThread = 12
/** Two pipes each, and as many while it is being started. */
const filesPerScript = 3
/** Connections that this server opens to others: one or two a member, snapshots, `retry-join`. */
const dialledPerAccepted = 0.25

/**
 * Divides the `limit` of open files: first what the process itself opens, then a quarter at most of the
 * rest each for peers and probes, and all that is left for clients, up to what is needed.
 */
export function descriptorPlan(limit: number, needs: DescriptorNeeds): DescriptorPlan {
  const rest = Math.max(limit - filesMin - filesPerDnsThread * needs.dnsThreads, 0)
  const share = (wanted: number): number => Math.min(1, rest / 4 / wanted)
  const peersWanted = needs.peers * (1 + dialledPerAccepted)
  const probesWanted = needs.probes + needs.scripts * filesPerScript
  const [peerShare, probeShare] = [share(peersWanted), share(probesWanted)]
  const taken = Math.ceil(peersWanted * peerShare) + Math.ceil(probesWanted * probeShare)
  return {
    clients: Math.max(1, Math.min(needs.clients, rest - taken)),
    peers: Math.max(1, Math.floor(needs.peers * peerShare)),
    probes: Math.max(1, Math.floor(needs.probes * probeShare)),
    scripts: Math.max(1, Math.floor(needs.scripts * probeShare)),
  }
}

/** With less there is no room for a few connections of each kind. */
export function descriptorsMin(dnsThreads: number): number {
  return filesMin + filesPerDnsThread * dnsThreads + 48
}

/** The least limit at which the plan gives all that is needed. */
export function descriptorsNeeded(needs: DescriptorNeeds): number {
  const own = filesMin + filesPerDnsThread * needs.dnsThreads
  const peers = Math.ceil(needs.peers * (1 + dialledPerAccepted))
  const probes = Math.ceil(needs.probes + needs.scripts * filesPerScript)
  return own + Math.max(needs.clients + peers + probes, 4 * peers, 4 * probes)
}

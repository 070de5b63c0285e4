import { isLoopbackIp, parseIp } from '../base/ip.ts'

/** Consul's servers are joined on it; svcd's have one port, that of the servers. */
const gossipPort = 8301

export interface OwnPlace {
  /** The port on which servers talk to each other. */
  readonly serverPort: number
  /** Another gossip port than Consul's default, as the configuration names it. */
  readonly gossipPort?: number | undefined
  /** Addresses of this machine. */
  readonly addresses: readonly (string | undefined)[]
}

/**
 * The address that is dialled for one of `-retry-join`: in place of the gossip port that of the
 * servers. On this machine another server may well have that port, so it stays there.
 */
export function dialledAddress(address: string, own: OwnPlace): string {
  const [, host, port] = /^(\[[^\]]*\]|[^:[\]]+):(\d+)$/.exec(address) ?? []
  if (host === undefined || own.serverPort === Number(port)) return address
  if (Number(port) !== gossipPort && Number(port) !== own.gossipPort) return address
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const ip = parseIp(bare)
  const isHere = ip === undefined ? bare === 'localhost' : isLoopbackIp(ip)
  if (isHere || own.addresses.includes(bare)) return address
  return `${host}:${own.serverPort > 0 ? own.serverPort : 8300}`
}

import { isLoopbackIp, parseIp } from '../base/ip.ts'

/** Consul's servers join each other on this port; svcd has only the server port. */
const gossipPort = 8301

export interface OwnPlace {
  /** The port on which servers talk to each other. */
  readonly serverPort: number
  /** The gossip port of the configuration, if it is not Consul's default. */
  readonly gossipPort?: number | undefined
  /** Addresses of this machine. */
  readonly addresses: readonly (string | undefined)[]
}

/**
 * The address to connect to for an address of `-retry-join`: with the server port instead of the gossip port.
 * On this machine another server may use that port as its server port, so such an address stays as it is.
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

import { isIP } from 'node:net'
import { isLoopbackIp, parseIp } from '../../base/ip.ts'
import { UpstreamStream } from '../../net/upstream/stream.ts'
import { UdpSockets } from '../../net/upstream/udp-sockets.ts'
import type { Exchange, UpstreamServer } from '../../net/upstream/exchange.ts'

/** The sockets to all upstream servers. */
export class UpstreamPorts {
  readonly #servers: readonly UpstreamServer[]
  readonly #udp: readonly UdpSockets[]
  readonly #streams: readonly UpstreamStream[]

  constructor(
    servers: readonly UpstreamServer[],
    ca: readonly string[] | undefined,
    onStray: (server: number) => void,
  ) {
    this.#servers = servers
    this.#udp = servers.map((server, at) => new UdpSockets(server, () => onStray(at)))
    this.#streams = servers.map((server) => new UpstreamStream(server, ca))
  }

  get count(): number {
    return this.#servers.length
  }

  isTls(server: number): boolean {
    return this.#servers[server]?.tls !== undefined
  }

  /** Whether no host between svcd and the server could change an answer. */
  isTrusted(server: number): boolean {
    const { address = '' } = this.#servers[server] ?? {}
    const ip = isIP(address) === 0 ? undefined : parseIp(address)
    return this.isTls(server) || (ip !== undefined && isLoopbackIp(ip))
  }

  ask(transport: 'udp' | 'stream', exchange: Exchange): void {
    const ports = transport === 'udp' ? this.#udp : this.#streams
    ports[exchange.server]?.ask(exchange)
  }

  close(): void {
    for (const port of [...this.#udp, ...this.#streams]) port.close()
  }
}

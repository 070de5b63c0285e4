import { loadLibc } from '../../../src/process/libc.ts'
import { listenUdp } from '../../../src/net/udp/dgram.ts'
import { UdpMmsg } from '../../../src/net/udp/mmsg.ts'
import { openUdpSocket } from '../../../src/net/udp/socket.ts'
import type { Libc } from '../../../src/process/libc.ts'
import type {
  PacketResponder,
  PacketWriter,
  UdpCounters,
} from '../../../src/net/packet-responder.ts'
import type { UdpOptions } from '../../../src/net/udp/dgram.ts'
import type { UdpMmsgOptions } from '../../../src/net/udp/mmsg.ts'

/** What either path is served by. */
type ServedBy = UdpOptions & { readonly responder: PacketResponder & PacketWriter }

export interface UdpServer {
  readonly port: number
  readonly counters: UdpCounters
  close(): Promise<void>
}

const libc = loadLibc()

/** A reason to skip what needs recvmmsg, for tap's `skip` option. */
export const noMmsg = libc instanceof Error ? `needs recvmmsg: ${libc.message}` : false

export function theLibc(): Libc {
  if (libc instanceof Error) throw libc
  return libc
}

/** The two ways to serve UDP; what a client sees is the same. */
export const udpPaths: readonly {
  readonly name: string
  readonly skip: string | false
  readonly listen: (options: ServedBy) => Promise<UdpServer>
}[] = [
  { name: 'dgram', skip: false, listen: listenUdp },
  { name: 'mmsg', skip: noMmsg, listen: async (options) => listenMmsg(options) },
]

/** Serves from the event loop, round by round, as serve() does from a thread of its own. */
export function listenMmsg({
  address,
  port,
  onRound = () => {},
  ...options
}: Omit<UdpOptions, 'responder'> &
  Pick<UdpMmsgOptions, 'responder'> & { readonly onRound?: () => void }): UdpServer {
  const socket = openUdpSocket(theLibc(), { address, port, isShared: false })
  const onDrop = (error: unknown): void => {
    throw error
  }
  const server = new UdpMmsg(theLibc(), { onDrop, ...options, sockets: [socket] })
  let timer: NodeJS.Timeout | undefined
  const turn = (): void => {
    onRound()
    timer = setTimeout(turn, server.round() > 0 ? 0 : 1)
  }
  turn()
  return {
    port: socket.port,
    counters: server.counters,
    close: async () => {
      clearTimeout(timer)
      server.close()
      theLibc().close(socket.fd)
    },
  }
}

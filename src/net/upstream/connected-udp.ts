import { constants } from 'node:os'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { parseIp } from '../../base/ip.ts'
import { inet, loadLibc } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'
import { socketAddress } from '../udp/socket.ts'
import type { UpstreamServer } from './exchange.ts'

/** A UDP socket that is connected: the system drops packets from other addresses, and reports a closed port. */
export interface ConnectedUdp {
  readonly send: (packet: Uint8Array) => void
  readonly close: () => void
}

export interface UdpEvents {
  readonly onMessage: (packet: Uint8Array) => void
  /** The port is closed, or no route leads to the server. May be called more than once. */
  readonly onError: () => void
}

/** Opens a socket on a random port. */
export type ConnectUdp = (server: UpstreamServer, events: UdpEvents) => ConnectedUdp

const { errno } = constants
const off = new Uint8Array(Int32Array.of(0).buffer)
const sendFlags = inet.MSG_DONTWAIT | inet.MSG_NOSIGNAL

/** A socket on a random port. */
export function connectUdp(server: UpstreamServer, events: UdpEvents): ConnectedUdp {
  const libc = loadLibc()
  const bySystem = libc instanceof Error ? undefined : connectBySystem(libc, server, events)
  return bySystem ?? connectByNode(server, events)
}

/** Sends with one system call; Node needs as much time again for its own part. Undefined: it cannot. */
function connectBySystem(
  libc: Libc,
  { address, port }: UpstreamServer,
  { onMessage, onError }: UdpEvents,
): ConnectedUdp | undefined {
  const fd = connectedSocket(libc, { address, port })
  if (fd === undefined) return undefined
  const socket = createSocket(parseIp(address)?.length === 4 ? 'udp4' : 'udp6')
  socket.on('message', onMessage)
  socket.on('error', onError)
  try {
    socket.bind({ fd })
  } catch {
    socket.close()
    libc.close(fd)
    return undefined
  }
  // Node lets other sockets use the port of a descriptor that it is given: a program could take the answers.
  libc.setsockopt(fd, inet.SOL_SOCKET, inet.SO_REUSEADDR, off, off.length)
  socket.unref()
  return {
    send: (packet) => {
      if (!sendOn(libc, fd, packet)) onError()
    },
    close: () => socket.close(),
  }
}

/** The descriptor of a socket that is connected; undefined: it cannot be. */
export function connectedSocket(libc: Libc, { address, port }: UpstreamServer): number | undefined {
  const ip = parseIp(address)
  if (ip === undefined) return undefined
  const family = ip.length === 4 ? inet.AF_INET : inet.AF_INET6
  const fd = libc.socket(family, inet.SOCK_DGRAM | inet.SOCK_CLOEXEC, 0)
  if (fd < 0) return undefined
  const name = socketAddress(ip, port)
  if (libc.connect(fd, name, name.length) >= 0) return fd
  libc.close(fd)
  return undefined
}

/** False: the socket is of no use any more. A packet may be lost, as any packet may be. */
export function sendOn(libc: Libc, fd: number, packet: Uint8Array): boolean {
  if (libc.send(fd, packet, packet.length, sendFlags) >= 0) return true
  const number = libc.errno()
  return number === errno.EAGAIN || number === errno.ENOBUFS
}

function connectByNode(
  { address, port }: UpstreamServer,
  { onMessage, onError }: UdpEvents,
): ConnectedUdp {
  const family = isIPv6(address) ? 6 : 4
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // Addresses only: there is nothing to resolve.
    lookup: (host, _options, done) => done(null, host, family),
  })
  let queue: Uint8Array[] | undefined = []
  let isClosed = false
  const send = (packet: Uint8Array): void => {
    socket.send(packet, (error) => {
      if (error !== null) onError()
    })
  }
  socket.on('message', onMessage)
  socket.on('error', onError)
  socket.unref()
  // Without a route to the address, Node calls back with an error. Its types do not say so.
  socket.connect(port, address, (error?: Error) => {
    if (error !== undefined) return onError()
    const waiting = queue ?? []
    queue = undefined
    if (!isClosed) waiting.forEach(send)
    return undefined
  })
  return {
    send: (packet) => {
      if (queue === undefined) send(packet)
      else queue.push(packet)
    },
    close: () => {
      isClosed = true
      socket.close()
    },
  }
}

import { must } from '../../base/assert.ts'
import { isUnspecifiedIp, parseIp } from '../../base/ip.ts'
import { bindError, dnsUdp } from '../connections/bind-error.ts'
import { inet, systemError } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'

/** An open UDP socket. The descriptor holds for the whole process, whichever thread uses it. */
export interface UdpSocket {
  readonly fd: number
  readonly port: number
  /** In octets; all zeros for a wildcard. */
  readonly address: Uint8Array
  /** The system cuts one message into packets (UDP_SEGMENT, Linux 4.18). */
  readonly canSegment: boolean
}

export interface UdpSocketOptions {
  /** An IP address of this host, `0.0.0.0` for all of IPv4, `::` for all of both families. */
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  /** Other sockets, opened alike, share the port; each client is served by one of them. */
  readonly isShared: boolean
  /** Its answers may be larger than what passes every path whole. */
  readonly mayFragment?: boolean
}

/** They hold the packets that come during a pause. The system may allow less. */
const bufferBytes = 4 * 1024 * 1024
const addressBytesMax = 28

/** Opens and binds a socket that does not wait. Throws `port-in-use` or `bind-failed`. */
export function openUdpSocket(libc: Libc, options: UdpSocketOptions): UdpSocket {
  const { address, port } = options
  const ip = must(parseIp(address), 'options hold IP addresses')
  const family = ip.length === 4 ? inet.AF_INET : inet.AF_INET6
  const fd = libc.socket(family, inet.SOCK_DGRAM | inet.SOCK_CLOEXEC, 0)
  try {
    if (fd < 0) throw systemError(libc, 'socket')
    configure(libc, fd, ip, options)
    const name = socketAddress(ip, port)
    if (libc.bind(fd, name, name.length) < 0) throw systemError(libc, 'bind')
    return { fd, port: portOf(libc, fd), address: ip, canSegment: canSegment(libc, fd) }
  } catch (error) {
    if (fd >= 0) libc.close(fd)
    throw bindError(dnsUdp, address, port, error)
  }
}

function configure(
  libc: Libc,
  fd: number,
  ip: Uint8Array,
  { isShared, mayFragment = false }: UdpSocketOptions,
): void {
  const set = (level: number, name: number, value: number): boolean => {
    const octets = new Uint8Array(Int32Array.of(value).buffer)
    return libc.setsockopt(fd, level, name, octets, octets.length) === 0
  }
  const need = (isSet: boolean): void => {
    if (!isSet) throw systemError(libc, 'setsockopt')
  }
  set(inet.SOL_SOCKET, inet.SO_RCVBUF, bufferBytes)
  set(inet.SOL_SOCKET, inet.SO_SNDBUF, bufferBytes)
  if (isShared) need(set(inet.SOL_SOCKET, inet.SO_REUSEPORT, 1))
  // RFC 9715 §3.1: never in fragments, which forgers could replace. It also spares the packet's id.
  if (ip.length === 4 && !mayFragment) {
    set(inet.IPPROTO_IP, inet.IP_MTU_DISCOVER, inet.IP_PMTUDISC_PROBE)
  }
  const isWildcard = isUnspecifiedIp(ip)
  if (ip.length === 16) need(set(inet.IPPROTO_IPV6, inet.IPV6_V6ONLY, isWildcard ? 0 : 1))
  if (!isWildcard) return
  // Tells with each packet which address was asked, so that the answer can leave from it.
  need(
    ip.length === 4
      ? set(inet.IPPROTO_IP, inet.IP_PKTINFO, 1)
      : set(inet.IPPROTO_IPV6, inet.IPV6_RECVPKTINFO, 1),
  )
}

/** A system that does not know the option would send all segments as one packet. */
function canSegment(libc: Libc, fd: number): boolean {
  const off = new Uint8Array(Int32Array.of(0).buffer)
  return libc.setsockopt(fd, inet.SOL_UDP, inet.UDP_SEGMENT, off, off.length) === 0
}

/** struct sockaddr_in or sockaddr_in6. */
export function socketAddress(ip: Uint8Array, port: number): Uint8Array {
  const name = Buffer.alloc(ip.length === 4 ? 16 : addressBytesMax)
  name.writeUInt16LE(ip.length === 4 ? inet.AF_INET : inet.AF_INET6)
  name.writeUInt16BE(port, 2)
  name.set(ip, ip.length === 4 ? 4 : 8)
  return name
}

function portOf(libc: Libc, fd: number): number {
  const name = Buffer.alloc(addressBytesMax)
  const length = new Uint8Array(Int32Array.of(name.length).buffer)
  if (libc.getsockname(fd, name, length) < 0) throw systemError(libc, 'getsockname')
  return name.readUInt16BE(2)
}

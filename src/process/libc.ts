import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import { getSystemErrorName } from 'node:util'

/** What of koffi is used. Its own types are not, so that svcd also builds where it is missing. */
interface Koffi {
  load(library: null): { func(prototype: string): unknown }
  errno(): number
  address(memory: ArrayBuffer): bigint
}

/** An address in memory, or memory itself. */
export type Pointer = bigint | Uint8Array | null

/** The calls of the C library that UDP and Unix datagrams need; each returns -1 on failure, with `errno()` why. */
export interface Libc {
  readonly errno: () => number
  readonly address: (memory: ArrayBuffer) => bigint
  readonly socket: (domain: number, type: number, protocol: number) => number
  readonly bind: (fd: number, address: Uint8Array, length: number) => number
  readonly connect: (fd: number, address: Uint8Array, length: number) => number
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint8Array) => number
  readonly setsockopt: (
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: number,
  ) => number
  /** On a socket that is connected. */
  readonly send: (fd: number, from: Uint8Array, length: number, flags: number) => number
  readonly sendto: (
    fd: number,
    from: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ) => number
  readonly close: (fd: number) => number
  readonly recvmmsg: (fd: number, headers: Pointer, count: number, flags: number, t: null) => number
  readonly sendmmsg: (fd: number, headers: Pointer, count: number, flags: number) => number
  readonly poll: (fds: Pointer, count: number, timeoutMs: number) => number
  readonly eventfd: (value: number, flags: number) => number
  readonly epoll_create1: (flags: number) => number
  readonly epoll_ctl: (epoll: number, operation: number, fd: number, event: Uint8Array) => number
  readonly epoll_wait: (epoll: number, events: Uint8Array, max: number, timeoutMs: number) => number
  readonly read: (fd: number, into: Uint8Array, length: number) => number
  readonly write: (fd: number, from: Uint8Array, length: number) => number
  /** Only glibc has it. */
  readonly mallopt: ((parameter: number, value: number) => number) | undefined
  /** Only glibc has it. */
  readonly malloc_trim: ((keepBytes: bigint) => number) | undefined
}

let loaded: Libc | Error | undefined

/**
 * The C library of this Linux, or why there is none to be had: another system, a processor whose
 * structures are not known here, koffi not installed, a kernel or sandbox without the calls.
 */
export function loadLibc(): Libc | Error {
  if (loaded !== undefined) return loaded
  try {
    loaded = load()
  } catch (error) {
    loaded = error instanceof Error ? error : new Error(String(error))
  }
  return loaded
}

function ifThere<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}

function load(): Libc {
  const { platform, arch } = process
  if (platform !== 'linux') throw new Error(`${platform} has no recvmmsg`)
  if ((arch !== 'x64' && arch !== 'arm64') || endianness() !== 'LE') {
    throw new Error(`svcd does not know the system structures of ${arch}`)
  }
  const koffi = createRequire(import.meta.url)('koffi') as Koffi
  // The C library that node itself is linked to, be it glibc or musl.
  const library = koffi.load(null)
  const libc = {
    errno: () => koffi.errno(),
    address: (memory: ArrayBuffer) => koffi.address(memory),
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, const void *, uint32_t)'),
    connect: library.func('int connect(int, const void *, uint32_t)'),
    getsockname: library.func('int getsockname(int, void *, void *)'),
    setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    send: library.func('int64_t send(int, const void *, uint64_t, int)'),
    sendto: library.func(
      'int64_t sendto(int, const void *, uint64_t, int, const void *, uint32_t)',
    ),
    close: library.func('int close(int)'),
    recvmmsg: library.func('int recvmmsg(int, void *, uint32_t, int, void *)'),
    sendmmsg: library.func('int sendmmsg(int, void *, uint32_t, int)'),
    poll: library.func('int poll(void *, uint64_t, int)'),
    eventfd: library.func('int eventfd(uint32_t, int)'),
    epoll_create1: library.func('int epoll_create1(int)'),
    epoll_ctl: library.func('int epoll_ctl(int, int, int, const void *)'),
    epoll_wait: library.func('int epoll_wait(int, void *, int, int)'),
    read: library.func('int64_t read(int, void *, uint64_t)'),
    write: library.func('int64_t write(int, const void *, uint64_t)'),
    mallopt: ifThere(() => library.func('int mallopt(int, int)')),
    malloc_trim: ifThere(() => library.func('int malloc_trim(size_t)')),
  } as Libc
  tryOut(libc)
  return libc
}

/** Sandboxes are known that have sockets but not these calls. */
function tryOut(libc: Libc): void {
  const fd = libc.socket(inet.AF_INET, inet.SOCK_DGRAM | inet.SOCK_CLOEXEC, 0)
  if (fd < 0) throw systemError(libc, 'socket')
  try {
    if (libc.recvmmsg(fd, null, 0, inet.MSG_DONTWAIT, null) < 0) throw systemError(libc, 'recvmmsg')
    if (libc.sendmmsg(fd, null, 0, inet.MSG_DONTWAIT) < 0) throw systemError(libc, 'sendmmsg')
  } finally {
    libc.close(fd)
  }
}

/** The error of the last call that failed, as node's own sockets report it. */
export function systemError(libc: Libc, call: string): Error & { readonly code: string } {
  const code = getSystemErrorName(-libc.errno())
  return Object.assign(new Error(`${call} ${code}`), { code })
}

/** Numbers of <sys/socket.h> and <netinet/in.h>, the same on x86-64 and arm64. */
export const inet = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_DGRAM: 2,
  SOCK_CLOEXEC: 0o2_000_000,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_REUSEPORT: 15,
  IPPROTO_IP: 0,
  IP_PKTINFO: 8,
  IP_MTU_DISCOVER: 10,
  IP_PMTUDISC_PROBE: 3,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  IPV6_RECVPKTINFO: 49,
  SOL_UDP: 17,
  UDP_SEGMENT: 103,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  POLLIN: 1,
  EPOLL_CLOEXEC: 0o2_000_000,
  EPOLL_CTL_ADD: 1,
  EPOLLIN: 1,
  EFD_CLOEXEC: 0o2_000_000,
  EFD_NONBLOCK: 0o4000,
} as const

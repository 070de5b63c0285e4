import { constants } from 'node:os'
import { InvariantError, assert } from '../base/assert.ts'
import { formatIp } from '../base/ip.ts'
import { inet, systemError } from './libc.ts'
import { MessageBlock, messagesMax } from './message-block.ts'
import { loopbackBytesMax, pathBytesDefault } from './packet-responder.ts'
import type { Libc } from './libc.ts'
import type { PacketAsker, PacketResponder, UdpCounters } from './packet-responder.ts'
import type { UdpSocket } from './udp-socket.ts'
import type { WakerHandle } from './waker.ts'

export interface UdpMmsgOptions {
  readonly sockets: readonly UdpSocket[]
  readonly responder: PacketResponder
  /** The largest answer to a client on another machine, in octets; 1232 unless given. */
  readonly pathBytesMax?: number
  /** Called when the answers to what was received at once are made, before the next is received. */
  readonly onBatchEnd?: (packets: number) => void
  /** Called when a batch was received. */
  readonly onBatchBegin?: () => void
  /** A packet whose answer threw; it gets none. Broken invariants are not caught. */
  readonly onDrop: (error: unknown, packet: Uint8Array) => void
}

const { errno } = constants
const pollTimeoutMs = 1000
// struct pollfd: fd 0, events 4, revents 6.
const pollFdBytes = 8
const reventsOfFirst = 6

/**
 * Answers DNS over UDP with a system call for many packets where node needs one for each. It blocks
 * its thread: {@link serve} returns only when told to. The sockets stay open; they are not its own.
 */
export class UdpMmsg {
  readonly counters: UdpCounters = { received: 0, sent: 0, errors: 0 }
  readonly #libc: Libc
  readonly #options: UdpMmsgOptions
  readonly #block: MessageBlock
  readonly #askers: readonly MmsgAsker[]

  constructor(libc: Libc, options: UdpMmsgOptions) {
    this.#libc = libc
    this.#options = options
    this.#block = new MessageBlock(libc)
    const pathBytesMax = options.pathBytesMax ?? pathBytesDefault
    this.#askers = options.sockets.map((socket) => new MmsgAsker(this.#block, socket, pathBytesMax))
  }

  /** Answers until `onWake`, called after each call of the waker, returns false. */
  serve(waker: WakerHandle, onWake: () => boolean): void {
    const calls = new Int32Array(waker.calls)
    const wakeCount = new Uint8Array(8)
    const fds = pollFds([waker.fd, ...this.#options.sockets.map(({ fd }) => fd)])
    let seen = 0
    for (;;) {
      // Looked at each time: under a load that never pauses there is no poll to end.
      const called = Atomics.load(calls, 0)
      if (called !== seen) {
        seen = called
        if (!onWake()) return
      }
      if (this.round() > 0) continue
      this.#libc.poll(fds, fds.length / pollFdBytes, pollTimeoutMs)
      // Not when it is called: the call may be seen before the descriptor becomes readable.
      if (fds[reventsOfFirst] !== 0) this.#libc.read(waker.fd, wakeCount, wakeCount.length)
    }
  }

  /** Answers what has come to each socket, at most 64 packets, without waiting; returns how many. */
  round(): number {
    let received = 0
    for (const asker of this.#askers) received += this.#batch(asker.fd, asker)
    return received
  }

  close(): void {
    this.#block.free()
  }

  #batch(fd: number, asker: MmsgAsker): number {
    const { recvmmsg } = this.#libc
    const count = recvmmsg(fd, this.#block.headersIn, messagesMax, inet.MSG_DONTWAIT, null)
    if (count < 0) {
      this.#receiveFailed()
      return 0
    }
    this.counters.received += count
    this.#options.onBatchBegin?.()
    // What stands before `first` is sent or has no answer.
    let first = 0
    for (let n = 0; n < count; n++) {
      if (this.#answer(n, asker)) continue
      this.#send(fd, first, n)
      first = n + 1
    }
    this.#options.onBatchEnd?.(count)
    this.#send(fd, first, count)
    this.#block.resetReceived(count)
    return count
  }

  /** False: no answer is to be sent. */
  #answer(n: number, asker: MmsgAsker): boolean {
    const block = this.#block
    const packet = block.packet(n)
    let length: number
    try {
      asker.turnTo(n)
      length = this.#options.responder.respondInto(packet, asker, block.bytes, block.answerAt)
    } catch (error) {
      if (error instanceof InvariantError) throw error
      this.counters.errors++
      this.#options.onDrop(error, packet)
      return false
    }
    if (length === 0) return false
    assert(length <= asker.pathBytesMax, 'an answer over UDP fits the path')
    block.setAnswer(n, length)
    return true
  }

  /** Sends the answers [from, to). One that cannot be sent never holds up those behind it. */
  #send(fd: number, from: number, to: number): void {
    let at = from
    while (at < to) {
      const header = this.#block.headersOut[at] ?? null
      const sent = this.#libc.sendmmsg(fd, header, to - at, inet.MSG_DONTWAIT)
      if (sent > 0) {
        this.counters.sent += sent
        at += sent
      } else {
        this.counters.errors++
        at++
      }
    }
  }

  #receiveFailed(): void {
    // By number: an Error with its stack for each pause of the load would cost more than an answer.
    const number = this.#libc.errno()
    if (number === errno.EAGAIN || number === errno.EINTR) return
    // A socket that is none would fail for ever; anything else the system reports once and clears.
    if (number === errno.EBADF || number === errno.ENOTSOCK) {
      throw systemError(this.#libc, 'recvmmsg')
    }
    this.counters.errors++
  }
}

/** struct pollfd for each descriptor. */
function pollFds(fds: readonly number[]): Uint8Array {
  const bytes = Buffer.from(new ArrayBuffer(fds.length * pollFdBytes))
  for (const [at, fd] of fds.entries()) {
    bytes.writeInt32LE(fd, at * pollFdBytes)
    bytes.writeInt16LE(inet.POLLIN, at * pollFdBytes + 4)
  }
  return bytes
}

/** Who sent the packet it was turned to, read from the system's structures only when asked for. */
class MmsgAsker implements PacketAsker {
  readonly transport = 'udp'
  readonly fd: number
  pathBytesMax = 0
  readonly #block: MessageBlock
  readonly #bytes: Uint8Array
  readonly #own: Uint8Array
  readonly #farBytesMax: number
  #nameAt = 0

  constructor(block: MessageBlock, { fd, address }: UdpSocket, farBytesMax: number) {
    this.fd = fd
    this.#block = block
    this.#bytes = block.bytes
    this.#own = address
    this.#farBytesMax = farBytesMax
  }

  get client(): string {
    const start = this.#addressAt
    return formatIp(this.#bytes.subarray(start, start + this.#own.length))
  }

  /** Also makes the answer leave from the address that was asked, by whichever way leads back. */
  turnTo(n: number): void {
    this.#nameAt = this.#block.nameAt(n)
    const info = this.#block.packetInfoAt(n)
    if (info !== undefined) this.#clearInterface(info)
    this.pathBytesMax = this.#isLocal(info) ? loopbackBytesMax : this.#farBytesMax
  }

  get #addressAt(): number {
    return this.#nameAt + (this.#own.length === 4 ? 4 : 8)
  }

  /**
   * struct in_pktinfo is interface, own address, destination; in6_pktinfo is destination, interface.
   * A link-local address means nothing without its interface.
   */
  #clearInterface(info: number): void {
    const bytes = this.#bytes
    if (this.#own.length === 16 && bytes[info] === 0xfe && ((bytes[info + 1] ?? 0) & 0xc0) === 0x80)
      return
    const at = this.#own.length === 4 ? info : info + 16
    bytes.fill(0, at, at + 4)
  }

  #isLocal(info: number | undefined): boolean {
    const at = this.#addressAt
    const bytes = this.#bytes
    const length = this.#own.length
    if (length === 4) {
      if (bytes[at] === 127) return true
    } else if (isLoopback6(bytes, at)) {
      return true
    }
    // A client with the very address that it asked is on this machine.
    if (info === undefined) return isSame(bytes, at, this.#own, 0, length)
    return isSame(bytes, at, bytes, length === 4 ? info + 8 : info, length)
  }
}

/** ::1, or an IPv4 one as a socket for both families shows it: ::ffff:127.0.0.0/104. */
function isLoopback6(bytes: Uint8Array, at: number): boolean {
  for (let each = at; each < at + 10; each++) if (bytes[each] !== 0) return false
  if (bytes[at + 10] === 0xff && bytes[at + 11] === 0xff) return bytes[at + 12] === 127
  for (let each = at + 10; each < at + 15; each++) if (bytes[each] !== 0) return false
  return bytes[at + 15] === 1
}

function isSame(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  length: number,
): boolean {
  for (let at = 0; at < length; at++) if (a[aStart + at] !== b[bStart + at]) return false
  return true
}

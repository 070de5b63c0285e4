import { constants } from 'node:os'
import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import { InvariantError, assert, must } from '../../base/assert.ts'
import { AnswerBlock } from './answer-block.ts'
import { inet, systemError } from '../../process/libc.ts'
import { MessageBlock, messagesMax } from './message-block.ts'
import { MmsgAsker } from './mmsg-asker.ts'
import { passedOn, pathBytesDefault, withheld } from '../packet-responder.ts'
import { Poller } from './poller.ts'
import { SlowLane } from './slow-lane.ts'
import type { Libc } from '../../process/libc.ts'
import type { SavedMessage } from './message-block.ts'
import type { PolledWork } from './polled-work.ts'
import type { PacketWriter, UdpCounters } from '../packet-responder.ts'
import type { UdpSocket } from './socket.ts'
import type { WakerHandle } from './waker.ts'

export interface UdpMmsgOptions {
  readonly sockets: readonly UdpSocket[]
  readonly responder: PacketWriter
  /** The largest answer to a client on another machine, in octets; 1232 unless given. */
  readonly pathBytesMax?: number
  /** The clients whose queries for outside names are passed on; absent: none. */
  readonly recursion?: IpPrefixes | undefined
  /** Another thread will answer the message that came to the socket `fd`. */
  readonly onPassedOn?: (message: SavedMessage, fd: number) => void
  /** Packets were taken from the system; called before the first of them is answered. */
  readonly onReceived?: () => void
  /** The answers to so many packets are made, so long after these were taken from the system. */
  readonly onAnswered?: (packets: number, ms: number) => void
  /** The batch is answered: nothing is read for its packets any more. */
  readonly onBatchEnd?: () => void
  /** What else the thread does; it has the time of the answers that are not in the cache. */
  readonly work?: PolledWork | undefined
  /** A packet whose answer threw; it gets none. Broken invariants are not caught. */
  readonly onDrop: (error: unknown, packet: Uint8Array) => void
  /** A clock that never goes back. */
  readonly nowMs?: () => number
}

const { errno } = constants
const pollTimeoutMs = 1000

/**
 * Answers DNS over UDP with a system call for many packets where node needs one for each. It blocks
 * its thread: {@link serve} returns only when told to. The sockets stay open; they are not its own.
 *
 * Answers that are in the cache leave first. The others have the time that {@link SlowLane} gives
 * them, and wait there while it lasts not.
 */
export class UdpMmsg {
  readonly counters: UdpCounters = { received: 0, sent: 0, errors: 0, deferred: 0, overflowed: 0 }
  readonly #libc: Libc
  readonly #options: UdpMmsgOptions
  readonly #nowMs: () => number
  readonly #block: MessageBlock
  readonly #answers: AnswerBlock
  readonly #askers: readonly MmsgAsker[]
  readonly #slow = new SlowLane<DeferredMessage>()
  /** The messages of a batch that are not in the cache. */
  readonly #missed = new Uint8Array(messagesMax)

  constructor(libc: Libc, options: UdpMmsgOptions) {
    this.#libc = libc
    this.#options = options
    this.#nowMs = options.nowMs ?? (() => performance.now())
    this.#block = new MessageBlock(libc)
    this.#answers = new AnswerBlock(libc, this.#block)
    const pathBytesMax = options.pathBytesMax ?? pathBytesDefault
    this.#askers = options.sockets.map((socket) => {
      return new MmsgAsker(this.#block, socket, pathBytesMax, options.recursion)
    })
  }

  /** Answers until `onWake`, called after each call of the waker, returns false. */
  serve(waker: WakerHandle, onWake: () => boolean): void {
    const { sockets, work } = this.#options
    const calls = new Int32Array(waker.calls)
    const wakeCount = new Uint8Array(8)
    const fds = [waker.fd, ...sockets.map(({ fd }) => fd)]
    const poller = new Poller(this.#libc, work === undefined ? fds : [...fds, work.fd])
    let seen = 0
    let isIdle = false
    for (;;) {
      // Looked at each time: under a load that never pauses there is no poll to end.
      const called = Atomics.load(calls, 0)
      if (called !== seen) {
        seen = called
        if (!onWake()) return
      }
      const mustLook = isIdle || work?.isWaiting === true
      if (mustLook) {
        poller.wait(isIdle ? this.#timeoutMs() : 0)
        // Not when it is called: the call may be seen before the descriptor becomes readable.
        if (poller.isReadable(0)) this.#libc.read(waker.fd, wakeCount, wakeCount.length)
      }
      isIdle = this.round() === 0 && this.#slow.length === 0
      if (work !== undefined && mustLook && this.#slow.mayWork) {
        this.#work(work, poller.isReadable(fds.length))
      }
    }
  }

  /** As long as nothing else is to be done. */
  #timeoutMs(): number {
    const dueMs = this.#options.work?.dueMs ?? Infinity
    return Math.max(0, Math.min(pollTimeoutMs, Math.ceil(dueMs - this.#nowMs())))
  }

  #work(work: PolledWork, isReadable: boolean): void {
    const beganMs = this.#nowMs()
    if (!isReadable && work.dueMs > beganMs) return
    work.turn(isReadable)
    this.#slow.spend(this.#nowMs() - beganMs)
    this.#options.onBatchEnd?.()
  }

  /** Answers what has come to each socket, at most 64 packets, without waiting; returns how many. */
  round(): number {
    let received = 0
    let isDrained = true
    for (const asker of this.#askers) {
      const count = this.#batch(asker)
      received += count
      if (count === messagesMax) isDrained = false
    }
    this.#slow.grant(isDrained)
    while (this.#slow.mayWork && this.#slow.length > 0) this.#deferredBatch()
    return received
  }

  close(): void {
    this.#answers.free()
    this.#block.free()
  }

  #batch(asker: MmsgAsker): number {
    const { recvmmsg } = this.#libc
    const count = recvmmsg(asker.fd, this.#block.headers, messagesMax, inet.MSG_DONTWAIT, null)
    if (count < 0) {
      this.#receiveFailed()
      return 0
    }
    this.counters.received += count
    const beganMs = this.#nowMs()
    if (count > 0) this.#options.onReceived?.()
    asker.receivedMs = beganMs
    let misses = 0
    for (let n = 0; n < count; n++) {
      if (!this.#answer(n, asker, 'hit')) this.#missed[misses++] = n
    }
    if (misses < count) this.#options.onAnswered?.(count - misses, this.#nowMs() - beganMs)
    this.#send(asker)
    for (let at = 0; at < misses; at++) this.#miss(this.#missed[at] ?? 0, asker, beganMs)
    this.#send(asker)
    this.#options.onBatchEnd?.()
    this.#block.reset(count)
    return count
  }

  /** Answers what is not in the cache, or puts it off behind those that wait already. */
  #miss(n: number, asker: MmsgAsker, receivedMs: number): void {
    if (this.#slow.length === 0 && this.#slow.mayWork) {
      this.#answerSlowly(n, asker, receivedMs)
    } else if (this.#slow.push({ asker, receivedMs, message: this.#block.save(n) })) {
      this.counters.deferred++
    } else {
      this.counters.overflowed++
    }
  }

  /** Answers messages that were put off, of one socket, while there is time. */
  #deferredBatch(): void {
    const asker = this.#slow.first?.asker
    if (asker === undefined) return
    let count = 0
    while (this.#slow.first?.asker === asker && count < messagesMax && this.#slow.mayWork) {
      const { message, receivedMs } = must(this.#slow.shift())
      this.#block.restore(count, message)
      this.#answerSlowly(count, asker, receivedMs)
      count++
    }
    this.#send(asker)
    this.#options.onBatchEnd?.()
    this.#block.reset(count)
  }

  #answerSlowly(n: number, asker: MmsgAsker, receivedMs: number): void {
    const beganMs = this.#nowMs()
    asker.receivedMs = receivedMs
    this.#answer(n, asker, 'any')
    const endedMs = this.#nowMs()
    this.#slow.spend(endedMs - beganMs)
    this.#options.onAnswered?.(1, endedMs - receivedMs)
  }

  /** False: the answer is not in the cache, and was not looked for anywhere else. */
  #answer(n: number, asker: MmsgAsker, from: 'hit' | 'any'): boolean {
    const { responder, onDrop } = this.#options
    const { bytes, answerAt } = this.#answers
    const packet = this.#block.packet(n)
    let length: number
    try {
      asker.turnTo(n)
      length =
        from === 'hit'
          ? responder.hitInto(packet, asker, bytes, answerAt)
          : responder.respondInto(packet, asker, bytes, answerAt)
      if (length === passedOn) this.#options.onPassedOn?.(this.#block.save(n), asker.fd)
    } catch (error) {
      if (error instanceof InvariantError) throw error
      this.counters.errors++
      onDrop(error, packet)
      return true
    }
    if (length === 0) return false
    if (length === withheld || length === passedOn) return true
    assert(length <= asker.pathBytesMax, 'an answer over UDP fits the path')
    this.#answers.add(n, length)
    return true
  }

  /** Sends all answers. An answer that cannot be sent never delays those behind it. */
  #send(asker: MmsgAsker): void {
    const answers = this.#answers
    if (answers.count === 0) return
    const messages = answers.gather(asker.canSegment)
    let at = 0
    while (at < messages) {
      const { sendmmsg } = this.#libc
      const sent = sendmmsg(asker.fd, answers.header(at), messages - at, inet.MSG_DONTWAIT)
      for (const end = at + Math.max(0, sent); at < end; at++) {
        this.counters.sent += answers.sizeOf(at)
      }
      if (sent <= 0) this.#sendApart(asker, at++)
    }
    answers.clear()
  }

  /** Sends one by one the answers of a message that could not be sent. */
  #sendApart(asker: MmsgAsker, message: number): void {
    const { sendmmsg } = this.#libc
    if (this.#answers.sizeOf(message) === 1) {
      this.counters.errors++
      return
    }
    // An interface that cannot make checksums, or IPsec: no message of segments will ever leave here.
    if (this.#libc.errno() === errno.EIO) asker.canSegment = false
    this.#answers.apart(message, (header) => {
      if (sendmmsg(asker.fd, header, 1, inet.MSG_DONTWAIT) > 0) this.counters.sent++
      else this.counters.errors++
    })
  }

  #receiveFailed(): void {
    // By number: an Error with its stack for each pause of the load would cost more than an answer.
    const number = this.#libc.errno()
    if (number === errno.EAGAIN || number === errno.EINTR) return
    // An invalid socket would fail forever; any other error the system reports once and clears.
    if (number === errno.EBADF || number === errno.ENOTSOCK) {
      throw systemError(this.#libc, 'recvmmsg')
    }
    this.counters.errors++
  }
}

/** A question that waits for its turn. */
interface DeferredMessage {
  readonly asker: MmsgAsker
  readonly receivedMs: number
  readonly message: SavedMessage
}

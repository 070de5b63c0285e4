import { Timeouts } from '../../base/timeouts.ts'
import { DescriptorList } from '../../net/udp/descriptor-list.ts'
import { MmsgReplies } from '../../net/udp/mmsg-replies.ts'
import { packetOf, senderOf } from '../../net/udp/message-block.ts'
import type { SavedMessage } from '../../net/udp/message-block.ts'
import type { PolledWork } from '../../net/udp/polled-work.ts'
import { PolledSockets } from '../../net/upstream/polled-sockets.ts'
import type { Libc } from '../../process/libc.ts'
import type { CacheMemory } from '../../recursor/cache-layout.ts'
import { Upstreams } from '../../recursor/upstreams.ts'
import { unchosen } from '../traffic/query-observer.ts'
import type { QueryObserver } from '../traffic/query-observer.ts'
import type { LaneShare, OutsideQuery } from './messages.ts'
import { Recursor } from './recursor.ts'
import { RecursorCounters } from './recursor-counters.ts'
import { answerTo, questionOf } from './recursor-replies.ts'
import { sharedNowMs } from './shared-clock.ts'
import { udpPorts } from './upstream-ports.ts'

export interface LaneOptions {
  readonly libc: Libc
  readonly share: LaneShare
  readonly memory: CacheMemory
  /** The number of this thread. */
  readonly writer: number
  readonly observer: QueryObserver
  /** A packet of an upstream server was dropped because of a fault. */
  readonly onDrop: (error: unknown, packet: Uint8Array) => void
  /** Asks the recursor thread instead: only an event loop can use TCP and TLS. */
  readonly passOn: (query: OutsideQuery, fd: number, message: SavedMessage) => void
}

/** To one server, at a time. */
const socketsMax = 32

/**
 * Asks upstream servers over UDP from a thread that answers DNS itself. A query that goes to another thread and
 * back costs twice as much, and on a machine with one core it keeps this thread from running.
 */
export class RecursionLane implements PolledWork {
  readonly #options: LaneOptions
  readonly #sockets: PolledSockets
  readonly #timeouts = new Timeouts(() => performance.now())
  readonly #replies: MmsgReplies
  readonly #recursor: Recursor

  constructor(options: LaneOptions) {
    this.#options = options
    const { libc, share, memory, writer } = options
    const { servers, strategy, upstreams, timeoutMs } = share.settings
    const counters = new RecursorCounters(servers.length, share.counters)
    const { after } = this.#timeouts
    this.#sockets = new PolledSockets(libc, new DescriptorList(share.descriptors), options.onDrop)
    this.#replies = new MmsgReplies(libc)
    const { connect } = this.#sockets
    this.#recursor = new Recursor({
      ports: udpPorts(servers, { connect, after, socketsMax }, (server) => {
        counters.addTo(server, 'forged')
      }),
      memory,
      writer,
      after,
      upstreams: new Upstreams(upstreams, strategy),
      timeoutMs,
      counters,
      nowMs: sharedNowMs,
    })
  }

  /** Answers the query of a client, now or later. */
  take(
    { questionEnd, variant, alias }: OutsideQuery,
    cookie: Uint8Array | undefined,
    fd: number,
    message: SavedMessage,
  ): void {
    // By the clock of the observer, which is of this thread.
    const receivedMs = performance.now()
    // The octets of the query hold only until the next packets are received.
    const packet = packetOf(message)
    const kept = { packet, questionEnd, variant, alias, cookie: cookie && new Uint8Array(cookie) }
    this.#recursor.ask(questionOf(kept), (known) => {
      if ('server' in known) return this.#options.passOn({ ...kept, resume: known }, fd, message)
      const answer = answerTo(kept, known)
      this.#replies.send(fd, message, answer)
      return this.#observe(kept.packet, answer, message, receivedMs)
    })
  }

  get fd(): number {
    return this.#sockets.fd
  }

  get isWaiting(): boolean {
    return this.#recursor.isWaiting
  }

  get dueMs(): number {
    return this.#timeouts.dueMs
  }

  turn(isReadable: boolean): void {
    if (isReadable) this.#sockets.receive()
    this.#timeouts.run()
  }

  close(): void {
    this.#recursor.close()
    this.#sockets.close()
    this.#replies.close()
  }

  #observe(packet: Uint8Array, out: Uint8Array, message: SavedMessage, receivedMs: number): void {
    const { observer } = this.#options
    const chosen = observer.choose()
    if (chosen === unchosen) return
    const place = { out, at: 0, length: out.length }
    const how = { transport: 'udp', client: senderOf(message), beganMs: receivedMs } as const
    observer.note(packet, { ...place, ...how, isCached: false }, chosen)
  }
}

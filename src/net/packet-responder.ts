import type { SourceAddress } from '../dns/protection/rate-limiter.ts'

/** Who asks, and over what. */
export interface PacketAsker {
  readonly transport: 'udp' | 'tcp'
  /** The client's IP address. */
  readonly client: string
  /** The same as octets, IPv4 always as 4. Absent: what depends on it is left out. */
  readonly source?: SourceAddress
  /** The octets of the largest UDP answer that reaches it unfragmented. */
  readonly pathBytesMax: number
  /** Whether queries of the client for outside names are passed on to upstream servers. */
  readonly mayRecurse?: boolean
  /** When the packet was taken from the system, by `performance.now()`. Absent: just now. */
  readonly receivedMs?: number
}

/** Answers one packet, and throws only on a broken invariant. `dns/responder.ts` is one. */
export interface PacketResponder {
  /** The answer in a buffer of its own, now or later; undefined: send nothing. */
  respond(packet: Uint8Array, asker: PacketAsker): Buffer | Promise<Buffer | undefined> | undefined
  /**
   * As {@link respond}, but only from the cache; undefined: it is not there, or there is none; empty: nothing
   * is to be sent, and {@link respond} is not to be asked.
   */
  hit(packet: Uint8Array, asker: PacketAsker): Buffer | undefined
}

/** In place of the length of an answer. */
export const passedOn = -1

/** In place of the length of an answer: nothing is to be sent, and no other answer is to be looked for. */
export const withheld = -2

/** The same for answers that are written where they are sent from. */
export interface PacketWriter {
  /**
   * Writes the answer to `out` from `at` on and returns its length; 0: send nothing; {@link passedOn}:
   * another thread will answer.
   */
  respondInto(packet: Uint8Array, asker: PacketAsker, out: Uint8Array, at: number): number
  /**
   * As {@link respondInto}, but only from the cache; 0: it is not there, or there is none;
   * {@link withheld}: it is there, but nothing is to be sent.
   */
  hitInto(packet: Uint8Array, asker: PacketAsker, out: Uint8Array, at: number): number
}

/** Answers the messages of a stream, which has the time to wait for a miss. */
export interface StreamResponder extends Pick<PacketWriter, 'respondInto'> {
  /** The answer to the query that `respondInto` has just passed on. Absent: it passes none on. */
  readonly later?: (() => Promise<Uint8Array>) | undefined
}

/** Answers zone transfers, which take any number of messages. `resolver/transfer/` is one. */
export interface TransferDoor {
  /**
   * The messages that answer a packet; undefined: it asks for no transfer. Not all of them need be taken.
   * An error ends the connection (RFC 5936 §2.2).
   */
  take(packet: Uint8Array, asker: PacketAsker): AsyncIterable<Uint8Array> | undefined
}

export interface UdpCounters {
  received: number
  sent: number
  /** Answers that could not be sent, and errors of the sockets themselves. */
  errors: number
  /** Questions that waited because their answers were not in the cache. */
  deferred: number
  /** Questions that got no answer because too many waited so. */
  overflowed: number
}

/** Loopback cannot fragment below its MTU of 64 KiB; 8192 is the most that any client asks for. */
export const loopbackBytesMax = 8192
/** What passes every path unfragmented: IPv6's smallest MTU less its headers (RFC 9715). */
export const pathBytesDefault = 1232

import { passedOn } from '../../net/packet-responder.ts'
import type { PacketAsker } from '../../net/packet-responder.ts'
import type { AnswerPlace, StreamTransport } from './answered-query.ts'
import { unchosen } from './query-observer.ts'
import type { Chosen, QueryObserver } from './query-observer.ts'

interface How {
  readonly beganMs: number
  readonly isCached: boolean
}

type Packet = Uint8Array

/** Shows an observer answers in buffers of their own, also those that come later. Undefined: there is none. */
export function showTo(
  observer: QueryObserver,
): (
  packet: Packet,
  asker: PacketAsker,
  answer: Packet | Promise<Packet | undefined> | undefined,
  how: How,
) => void {
  return (packet, { transport, client }, answer, how) => {
    if (answer === undefined) return
    const chosen = observer.choose()
    if (chosen === unchosen) return
    const note = (out: Packet | undefined): void => {
      if (out === undefined) return
      const place = { out, at: 0, length: out.length }
      observer.note(packet, { ...place, ...how, transport, client }, chosen)
    }
    if (answer instanceof Promise) void answer.then(note)
    else note(answer)
  }
}

interface PassedOn {
  readonly packet: Packet
  readonly client: string
  readonly beganMs: number
  readonly chosen: Chosen
}

/** Shows an observer the answers of one transport on the main thread. */
export class StreamObserver {
  readonly #observer: QueryObserver
  readonly #transport: StreamTransport
  /** The query that was passed on just now. */
  #passedOn: PassedOn | undefined

  constructor(observer: QueryObserver, transport: StreamTransport) {
    this.#observer = observer
    this.#transport = transport
  }

  answered(
    packet: Packet,
    { client }: PacketAsker,
    place: AnswerPlace,
    { beganMs, isCached, chosen }: How & { readonly chosen: Chosen },
  ): void {
    if (place.length === passedOn) {
      // The packet is a part of what the connection has read.
      this.#passedOn = { packet: Uint8Array.from(packet), client, beganMs, chosen }
    } else {
      const how = { beganMs, isCached, client, transport: this.#transport }
      this.#observer.note(packet, { ...place, ...how }, chosen)
    }
  }

  /** The answer to the query that was passed on just now. */
  async later(coming: Promise<Packet>): Promise<Packet> {
    const query = this.#passedOn
    this.#passedOn = undefined
    const out = await coming
    if (query === undefined) return out
    const { packet, client, beganMs, chosen } = query
    const place = { out, at: 0, length: out.length }
    const how = { beganMs, isCached: false, client, transport: this.#transport }
    this.#observer.note(packet, { ...place, ...how }, chosen)
    return out
  }
}

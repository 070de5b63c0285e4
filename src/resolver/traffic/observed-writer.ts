import type { PacketAsker, PacketWriter } from '../../net/packet-responder.ts'
import { unchosen } from './query-observer.ts'
import type { Answered, Chosen, QueryObserver } from './query-observer.ts'

/** Shows an observer the answers of a writer. Queries that are passed on are seen where they are answered. */
export function observedWriter(inner: PacketWriter, observer: QueryObserver): PacketWriter {
  const note = (
    packet: Uint8Array,
    { transport, client, receivedMs = performance.now() }: PacketAsker,
    answer: Pick<Answered, 'out' | 'at' | 'length' | 'isCached'>,
    chosen: Chosen,
  ): void => {
    observer.note(packet, { ...answer, transport, client, beganMs: receivedMs }, chosen)
  }
  return {
    hitInto: (packet, asker, out, at) => {
      const length = inner.hitInto(packet, asker, out, at)
      if (length > 0) {
        const chosen = observer.choose()
        if (chosen !== unchosen) note(packet, asker, { out, at, length, isCached: true }, chosen)
      }
      return length
    },
    respondInto: (packet, asker, out, at) => {
      const length = inner.respondInto(packet, asker, out, at)
      if (length > 0) {
        const chosen = observer.choose()
        if (chosen !== unchosen) note(packet, asker, { out, at, length, isCached: false }, chosen)
      }
      return length
    },
  }
}

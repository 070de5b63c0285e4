import { parseQuery } from '../../dns/query.ts'
import { rcode } from '../../dns/record.ts'
import { refusal } from '../../dns/refusal.ts'
import type { StreamResponder } from '../../net/packet-responder.ts'
import type { ForwardingResponder } from './forwarding-responder.ts'
import { recursionAvailable } from './forwarding-responder.ts'
import type { OutsideQuery } from './messages.ts'
import type { RecursorClient } from './recursor-client.ts'

/** Answers from both caches and the registry, and from the recursor thread later. */
export function forwardingStream(
  forwarding: ForwardingResponder,
  client: RecursorClient,
): StreamResponder {
  return {
    respondInto: (packet, asker, out, at) => {
      const length = forwarding.hitInto(packet, asker, out, at)
      return length === 0 ? forwarding.respondInto(packet, asker, out, at) : length
    },
    later: async () => {
      const passedOn = forwarding.takePassedOn()
      const query = { ...passedOn, packet: passedOn.packet.slice() }
      return (await client.ask(query)) ?? unanswered(query)
    },
  }
}

/** A client over a stream does not ask again by itself: it is told that there will be no answer. */
function unanswered({ packet, questionEnd, alias }: OutsideQuery): Uint8Array {
  const query = parseQuery(packet)
  const edns = query.kind === 'query' ? query.edns : undefined
  // An alias alone is of use to a resolver.
  const answer = alias?.own ?? refusal(packet, { questionEnd, edns }, rcode.SERVFAIL)
  answer[3] = (answer[3] ?? 0) | recursionAvailable
  return answer
}

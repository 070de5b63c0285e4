import { recordType } from './record.ts'

/** The types that have their own counters; the last counter is for all others. */
export const countedTypes = [
  ...(['A', 'AAAA', 'SRV', 'TXT', 'PTR', 'CNAME', 'NS', 'SOA', 'ANY', 'HTTPS'] as const),
  'other',
] as const

const otherPlace = countedTypes.length - 1
const typePlaces = new Uint8Array(256).fill(otherPlace)
for (const [at, name] of countedTypes.entries()) {
  if (name !== 'other') typePlaces[recordType[name]] = at
}

interface Counted {
  readonly rcode: number
  readonly truncated: boolean
}

/** The figures of the answer that begins at `at`. */
export function countedOf(answer: Uint8Array, at: number): Counted {
  return {
    rcode: (answer[at + 3] ?? 0) & 0x0f,
    truncated: ((answer[at + 2] ?? 0) & 0x02) !== 0,
  }
}

/** Where the type of a question is counted. */
function placeOf(packet: Uint8Array, questionEnd: number): number {
  const high = packet[questionEnd - 4] ?? 0
  return high === 0 ? (typePlaces[packet[questionEnd - 3] ?? 0] ?? 0) : otherPlace
}

/** Counts the queries and answers of a responder. */
export class ResponderCounters {
  queries = 0
  hits = 0
  misses = 0
  /** Packets that got no answer: too short, or responses. */
  dropped = 0
  truncated = 0
  /** Queries answered with SERVFAIL because of an internal error. */
  failures = 0
  /** Answers from the cache of outside names, and queries passed on to upstream servers. */
  outsideHits = 0
  outsideStale = 0
  outsideMisses = 0
  /** Queries over the limit of their network, and those of them that got a short answer. */
  limited = 0
  slipped = 0
  /** Server cookies that clients sent, by whether they were valid. */
  cookiesValid = 0
  cookiesInvalid = 0
  /** Answers by the lower four bits of their rcode. */
  readonly rcodes: number[] = Array.from({ length: 16 }, () => 0)
  /** Answers by type, at the places of {@link countedTypes}. */
  readonly types: number[] = countedTypes.map(() => 0)

  /** Counts an answer to the question of `packet`, which ends at `questionEnd`. */
  count({ rcode, truncated }: Counted, packet: Uint8Array, questionEnd: number): void {
    this.countRcode(rcode)
    if (truncated) this.truncated++
    const place = placeOf(packet, questionEnd)
    this.types[place] = (this.types[place] ?? 0) + 1
  }

  /** Takes back an answer that was counted but not sent. */
  takeBack({ rcode, truncated }: Counted, packet: Uint8Array, questionEnd: number): void {
    this.rcodes[rcode & 0x0f] = (this.rcodes[rcode & 0x0f] ?? 0) - 1
    if (truncated) this.truncated--
    const place = placeOf(packet, questionEnd)
    this.types[place] = (this.types[place] ?? 0) - 1
  }

  countRcode(rcode: number): void {
    this.rcodes[rcode & 0x0f] = (this.rcodes[rcode & 0x0f] ?? 0) + 1
  }
}

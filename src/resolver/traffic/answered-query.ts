import { formatName, lowerAscii } from '../../dns/name.ts'
import { parseQuery } from '../../dns/query.ts'
import { formatType, rcode, rcodeName } from '../../dns/record.ts'

export type StreamTransport = 'tcp' | 'tls' | 'https'

/** How a query came. */
export type QueryTransport = 'udp' | StreamTransport

/** A query whose answer is ready. */
export interface AnsweredQuery {
  readonly transport: QueryTransport
  readonly client: string
  /** In lower case, with its final dot; '' if the query has no name that can be read. */
  readonly name: string
  readonly type: string
  readonly rcode: string
  /** The length of the answer in octets. */
  readonly bytes: number
  readonly latencyMs: number
  readonly isTruncated: boolean
  /** The answer was in a cache. */
  readonly isCached: boolean
}

/** Where an answer stands. */
export interface AnswerPlace {
  readonly out: Uint8Array
  readonly at: number
  readonly length: number
}

/** The part of it that a packet and its answer tell. */
export function readAnswered(
  packet: Uint8Array,
  { out, at, length }: AnswerPlace,
): Pick<AnsweredQuery, 'name' | 'type' | 'rcode' | 'bytes' | 'isTruncated'> {
  const query = parseQuery(packet)
  const question = query.kind === 'query' ? query.question : undefined
  // The upper bits of BADVERS are in the OPT record.
  const isBadVersion = query.kind === 'error' && query.rcode === rcode.BADVERS
  const code = isBadVersion ? rcode.BADVERS : (out[at + 3] ?? 0) & 0x0f
  return {
    name: question === undefined ? '' : lowerAscii(formatName(question.name)),
    type: question === undefined ? '' : formatType(question.type),
    rcode: rcodeName(code),
    bytes: length,
    isTruncated: ((out[at + 2] ?? 0) & 0x02) !== 0,
  }
}

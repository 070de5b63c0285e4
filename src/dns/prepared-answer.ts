import { clearTruncated, encode, optLength, setTruncated } from './encode.ts'
import type { Encoded } from './encode.ts'
import { fitTo } from './fit.ts'
import { PackedAnswer } from './packed-answer.ts'
import type { Policy } from './packed-answer.ts'
import { foldOctet } from './query-scan.ts'
import { recordType } from './record.ts'
import { sharesOf } from './weighted-turn.ts'
import type { Message } from './message.ts'

/** Prepares `message` for answers of at most `bytesMax` octets; `marksCut`: with TC if they are cut. */
export function prepareAnswer(message: Message, bytesMax: number, marksCut = true): PackedAnswer {
  const full = encode(message)
  const fitted = fitTo(message, full, bytesMax)
  const type = message.question.type
  const isTurned = turnedTypes.includes(type) && fitted.answer.at(-1)?.type === type
  let encoded = full
  let window = full.ring
  let policy: Policy = 'turn'
  const keptOfRing = fitted.answer.length - (message.answer.length - full.ring)
  if (fitted.truncated && isTurned && keptOfRing > 0) {
    window = keptOfRing
    encoded = encodeCut(message, full)
    policy = type === recordType.A || type === recordType.AAAA ? 'advance' : 'client'
  } else if (fitted !== message) {
    encoded = encode(fitted)
    window = fitted.truncated ? 0 : encoded.ring
  }
  const { bytes, ends, questionEnd, serialAt } = encoded
  const ring = window === 0 ? 0 : encoded.ring
  const answers = policy === 'turn' ? fitted.answer.length : message.answer.length
  const before = answers - ring
  const marks = [before === 0 ? questionEnd : (ends[before - 1] ?? 0)]
  for (let at = 0; at < ring; at++) marks.push(ends[before + at] ?? 0)
  if (fitted.truncated && !marksCut && isUseful(fitted)) clearTruncated(bytes)
  for (let at = 12; at < questionEnd - 4; at++) bytes[at] = foldOctet(bytes[at] ?? 0)
  const isWeighted = message.weights !== undefined && ring > 1 && policy !== 'client'
  const answer = PackedAnswer.of(bytes, marks, {
    shares: isWeighted ? sharesOf(message.weights.slice(-ring)) : undefined,
    questionEnd,
    rcode: message.rcode,
    truncated: fitted.truncated,
    serialAt,
    policy,
    before,
    window,
    room: bytesMax - optLength(message.edns) - (marks[0] ?? 0),
  })
  answer.outside = message.outside
  return answer
}

/** The types of which a cut answer has a part that is of use to the client. */
const turnedTypes: readonly number[] = [
  recordType.A,
  recordType.AAAA,
  recordType.SRV,
  recordType.SVCB,
  recordType.HTTPS,
]

/**
 * Whether a cut answer may be sent without TC: it must have some of the hosts in question. Without any
 * it would mean that there are none, and for other types a part is not a usable answer.
 */
function isUseful({ question, answer }: Message): boolean {
  const last = answer.at(-1)?.type
  const { A, AAAA, SRV, ANY } = recordType
  if (last !== A && last !== AAAA && last !== SRV) return false
  return question.type === last || question.type === ANY
}

/** A message that will be cut, with its whole answer section and nothing else. */
function encodeCut(message: Message, full: Encoded): Encoded {
  if (message.authority.length + message.additional.length > 0) {
    return encode({ ...message, truncated: true, authority: [], additional: [] })
  }
  setTruncated(full.bytes)
  return full
}

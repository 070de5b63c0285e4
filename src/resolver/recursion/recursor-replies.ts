import { withOption } from '../../dns/protection/cookie-option.ts'
import { parseQuery } from '../../dns/query.ts'
import { variantBytesMax, variantOf } from '../../dns/query-scan.ts'
import { chasedAnswer } from '../../recursor/chase.ts'
import { staleTtlSeconds } from '../../recursor/cache-reader.ts'
import { flagsOf, outsideQuestion } from '../../recursor/outside-question.ts'
import type { OutsideQuestion } from '../../recursor/outside-question.ts'
import { renderAnswer } from '../../recursor/render.ts'
import type { OutsideQuery } from './messages.ts'
import type { Known } from './recursor.ts'

const bytesMax = 65_535
const scratch = new Uint8Array(bytesMax)
const headerBytes = 12
const plainTcp = variantOf(undefined, 'tcp', bytesMax)

/** What an upstream server is to be asked for a client's query. */
export function questionOf({ packet, questionEnd, alias, variant }: OutsideQuery): OutsideQuestion {
  const dnssecOk = (variant & 1) !== 0
  if (alias === undefined) return outsideQuestion(packet, questionEnd, dnssecOk)
  const checkingDisabled = ((packet[3] ?? 0) & 0x10) !== 0
  return { octets: alias.question, flags: flagsOf(dnssecOk, checkingDisabled) }
}

/** The answer to a client. It holds until the next call, unless it is copied. */
export function answerTo(query: OutsideQuery, known: Known): Uint8Array {
  const answer = bareAnswer(query, known)
  const { cookie, variant } = query
  return cookie === undefined ? answer : withOption(answer, cookie, variantBytesMax(variant))
}

function bareAnswer(query: OutsideQuery, known: Known): Uint8Array {
  const { packet, questionEnd, variant, alias } = query
  if (alias === undefined) return rendered(known, packet, questionEnd, variant)
  // The answer for the target in full, and then what the client may have of both.
  const asked = new Uint8Array(headerBytes + alias.question.length)
  asked.set(packet.subarray(0, headerBytes))
  asked.set(alias.question, headerBytes)
  const target = rendered(known, asked, asked.length, plainTcp).slice()
  const parsed = parseQuery(packet)
  const chased =
    parsed.kind === 'query'
      ? chasedAnswer(packet, parsed, alias.own, target, variantBytesMax(variant))
      : undefined
  return chased ?? alias.own
}

function rendered(
  { answer, ageSeconds, isStale }: Known,
  packet: Uint8Array,
  questionEnd: number,
  variant: number,
): Uint8Array {
  const { bytes, marks, extendedError } = answer
  const [length, records] = [bytes.length, marks.length / 2]
  const source = { bytes, at: 0, length, marks, marksAt: 0, records, extendedError }
  const age = { ageSeconds, staleTtl: isStale ? staleTtlSeconds : undefined }
  const written = renderAnswer(source, { packet, questionEnd, variant }, age, scratch, 0)
  return scratch.subarray(0, written)
}

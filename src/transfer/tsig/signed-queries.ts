import { setTruncated } from '../../dns/encode.ts'
import type { ParsedQuery } from '../../dns/query.ts'
import { rcode } from '../../dns/record.ts'
import { refusal, refuseSigned } from '../../dns/refusal.ts'
import type { AnswerSigned } from '../../dns/responder.ts'
import type { TsigKey, TsigKeys } from './keys.ts'
import { AnswerSigner, tsigBytes } from './sign.ts'
import { verifyRequest, withoutTsig } from './verify.ts'

type SignedQuery = Extract<ParsedQuery, { kind: 'signed' }>

/** A signed query whose signature is right, or the answer that refuses it. */
export type Checked =
  | {
      readonly kind: 'valid'
      readonly signer: AnswerSigner
      readonly key: TsigKey
    }
  | { readonly kind: 'refused'; readonly answer: Buffer }

/** Checks the signature of a query. A refusal has at most `bytesMax` octets. */
export function checkSigned(
  packet: Uint8Array,
  query: SignedQuery,
  keys: TsigKeys,
  nowSeconds: number,
  bytesMax = 65_535,
): Checked {
  const { tsig } = query
  const verdict = verifyRequest(packet, tsig, keys, nowSeconds)
  switch (verdict.kind) {
    case 'malformed':
      return { kind: 'refused', answer: refusal(packet, query, rcode.FORMERR) }
    case 'unsigned':
      return { kind: 'refused', answer: refuseSigned(packet, query, bytesMax, verdict.error) }
    case 'signed': {
      const signer = new AnswerSigner(verdict.key, tsig)
      const bare = refusal(packet, query, rcode.NOTAUTH)
      const answer = signer.signError(bare, verdict.error, nowSeconds)
      return { kind: 'refused', answer: answer.length > bytesMax ? cut(packet, query) : answer }
    }
    case 'valid': {
      const { key } = verdict
      return { kind: 'valid', signer: new AnswerSigner(key, tsig), key }
    }
  }
}

/** Answers the signed queries of a responder. */
export function signedQueries(keys: TsigKeys, nowSeconds: () => number): AnswerSigned {
  return (packet, query, bytesMax, answer) => {
    const now = nowSeconds()
    const checked = checkSigned(packet, query, keys, now, bytesMax)
    if (checked.kind === 'refused') return checked.answer
    const bare = answer(withoutTsig(packet, query.tsig))
    if (bare === undefined) return undefined
    const fits = bare.length + tsigBytes(checked.key) <= bytesMax
    return checked.signer.sign(fits ? withId(packet, bare) : cut(packet, query), now)
  }
}

/** The answer with the ID of the packet: that of the signature may be another one. */
function withId(packet: Uint8Array, answer: Uint8Array): Buffer {
  const copy = Buffer.from(answer)
  copy.set(packet.subarray(0, 2))
  return copy
}

/** There is no room for the signature: the client has to ask over TCP (RFC 8945 §5.3). */
function cut(packet: Uint8Array, query: SignedQuery): Buffer {
  const answer = refusal(packet, query, rcode.NOERROR)
  setTruncated(answer)
  return answer
}

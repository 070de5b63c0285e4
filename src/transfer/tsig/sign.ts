import { tsigError, writeTsig } from '../../dns/tsig.ts'
import type { Tsig } from '../../dns/tsig.ts'
import { WireWriter } from '../../dns/wire-writer.ts'
import { wireLength } from '../../dns/name.ts'
import type { TsigKey } from './keys.ts'
import { hashOf } from './keys.ts'
import { laterMacOf, macOf, timesOf } from './mac.ts'

const none = new Uint8Array(0)

/** The octets that the TSIG record of an answer takes, without other data. */
export function tsigBytes(key: TsigKey): number {
  return wireLength(key.name) + 10 + wireLength([key.algorithm]) + 16 + hashOf(key).bytes
}

/** Signs a request; returns it with its TSIG record, and its MAC. */
export function signRequest(
  key: TsigKey,
  message: Uint8Array,
  nowSeconds: number,
): { readonly packet: Buffer; readonly mac: Uint8Array } {
  const fields = { times: timesOf(nowSeconds), error: tsigError.NONE, other: none }
  const mac = macOf(key, message, fields)
  return { packet: appended(key, message, { ...fields, mac }), mac }
}

/** Signs the answers to one request: one message, or several over TCP. */
export class AnswerSigner {
  readonly #key: TsigKey
  readonly #request: Pick<Tsig, 'mac' | 'originalId' | 'times'>
  #macBefore: Uint8Array | undefined

  constructor(key: TsigKey, request: Pick<Tsig, 'mac' | 'originalId' | 'times'>) {
    this.#key = key
    this.#request = request
  }

  /** Returns the message with its TSIG record. */
  sign(message: Uint8Array, nowSeconds: number): Buffer {
    const times = timesOf(nowSeconds)
    const fields = { times, error: tsigError.NONE, other: none }
    const original = this.#withOriginalId(message)
    const mac =
      this.#macBefore === undefined
        ? macOf(this.#key, original, fields, this.#request.mac)
        : laterMacOf(this.#key, original, times, this.#macBefore)
    this.#macBefore = mac
    return appended(this.#key, message, { ...fields, mac }, this.#request.originalId)
  }

  /** Signs a refusal. With BADTIME it has the time of the request, and then that of the server (RFC 8945 §5.2.3). */
  signError(message: Uint8Array, error: number, nowSeconds: number): Buffer {
    const isLate = error === tsigError.BADTIME
    const times = isLate ? this.#request.times : timesOf(nowSeconds)
    const fields = { times, error, other: isLate ? timesOf(nowSeconds).subarray(0, 6) : none }
    const mac = macOf(this.#key, this.#withOriginalId(message), fields, this.#request.mac)
    return appended(this.#key, message, { ...fields, mac }, this.#request.originalId)
  }

  #withOriginalId(message: Uint8Array): Uint8Array {
    const copy = Buffer.from(message)
    copy.writeUInt16BE(this.#request.originalId, 0)
    return copy
  }
}

function appended(
  key: TsigKey,
  message: Uint8Array,
  fields: Parameters<typeof macOf>[2] & { readonly mac: Uint8Array },
  originalId = Buffer.from(message).readUInt16BE(0),
): Buffer {
  const writer = new WireWriter()
  writer.raw(message)
  writeTsig(writer, { ...fields, key: key.name, algorithm: [key.algorithm], originalId })
  const packet = writer.bytes()
  packet.writeUInt16BE(packet.readUInt16BE(10) + 1, 10)
  return packet
}

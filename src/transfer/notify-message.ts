import { writeRecord } from '../dns/encode.ts'
import { parseQuery } from '../dns/query.ts'
import { recordClass, recordType } from '../dns/record.ts'
import type { ResourceRecord } from '../dns/record.ts'
import type { Tsig } from '../dns/tsig.ts'
import { WireWriter } from '../dns/wire-writer.ts'
import type { TsigKey } from './tsig/keys.ts'
import { signRequest } from './tsig/sign.ts'
import { isSignedAnswer } from './tsig/verify.ts'

/** Opcode 4 with AA (RFC 1996 §3.7, §4.4). */
const notifyFlags = 0x2400
const opcodeAndQr = 0xf8

/** A NOTIFY (RFC 1996), and what is needed to judge its answer. */
export interface Notify {
  readonly packet: Buffer
  readonly id: number
  readonly key: TsigKey | undefined
  /** The MAC of its TSIG record. */
  readonly mac: Uint8Array
}

/** Tells a secondary that a zone has changed. The SOA is a hint (RFC 1996 §3.7), which it checks. */
export function notifyMessage(
  id: number,
  soa: ResourceRecord,
  key: TsigKey | undefined,
  nowSeconds: number,
): Notify {
  const writer = new WireWriter()
  writer.uint16(id)
  writer.uint16(notifyFlags)
  for (const count of [1, 1, 0, 0]) writer.uint16(count)
  writer.name(soa.name)
  writer.uint16(recordType.SOA)
  writer.uint16(recordClass.IN)
  writeRecord(writer, soa)
  const bare = writer.bytes()
  if (key === undefined) return { packet: bare, id, key, mac: new Uint8Array(0) }
  return { ...signRequest(key, bare, nowSeconds), id, key }
}

/** The rcode of an answer to a NOTIFY; undefined: the packet is not the answer. */
export function notifyRcode(
  answer: Uint8Array,
  { id, key, mac }: Notify,
  nowSeconds: number,
): number | undefined {
  const bytes = Buffer.from(answer)
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== id) return undefined
  // QR is set, and the opcode is that of the request.
  if ((bytes.readUInt8(2) & opcodeAndQr) !== 0xa0) return undefined
  const rcode = bytes.readUInt8(3) & 0x0f
  if (key === undefined) return rcode
  // An error about the key itself is not signed, so it may be forged: the request is sent again.
  const tsig = tsigOf(bytes)
  return tsig !== undefined && isSignedAnswer(bytes, tsig, key, mac, nowSeconds) ? rcode : undefined
}

function tsigOf(answer: Buffer): Tsig | undefined {
  const asQuery = Buffer.from(answer)
  asQuery.writeUInt8(answer.readUInt8(2) & ~opcodeAndQr, 2)
  const parsed = parseQuery(asQuery)
  return parsed.kind === 'signed' ? parsed.tsig : undefined
}

import { reasonOf } from '../../base/errors.ts'
import { encode } from '../../dns/encode.ts'
import { formatName } from '../../dns/name.ts'
import { parseQuery } from '../../dns/query.ts'
import type { ParsedQuery } from '../../dns/query.ts'
import { rcode, recordClass, recordType } from '../../dns/record.ts'
import type { Rcode } from '../../dns/record.ts'
import { ednsReply, refusal } from '../../dns/refusal.ts'
import type { PacketAsker, TransferDoor } from '../../net/packet-responder.ts'
import { plainAddress } from '../../net/connections/client-address.ts'
import { PeerNotices } from '../../process/peer-notices.ts'
import { TransferAccess } from '../../transfer/access.ts'
import { fitToQuery } from '../../transfer/messages.ts'
import { asksForTransfer, serialInAuthority } from '../../transfer/question.ts'
import { isNewerSerial } from '../../transfer/serial.ts'
import { TsigKeys } from '../../transfer/tsig/keys.ts'
import type { TsigKey } from '../../transfer/tsig/keys.ts'
import { checkSigned } from '../../transfer/tsig/signed-queries.ts'
import type { ServedZone, ServedZones } from './served-zones.ts'
import type { TransferParts, TransferResult } from './transfer-options.ts'
import { ZoneImages } from './zone-images.ts'

/** One query for a transfer. */
interface Asked {
  readonly packet: Buffer
  readonly query: Extract<ParsedQuery, { kind: 'query' | 'signed' }>
  readonly client: string
  /** That of a valid signature. */
  readonly key: TsigKey | undefined
  readonly sign: (message: Buffer) => Buffer
}

/** Answers AXFR, and IXFR with AXFR (RFC 1995 §4), over TCP and TLS. */
export class ZoneTransfers implements TransferDoor {
  readonly results: Record<TransferResult, number> = {
    completed: 0,
    unchanged: 0,
    refused: 0,
    failed: 0,
    aborted: 0,
  }
  running = 0
  bytes = 0
  readonly #zones: ServedZones
  readonly #images: ZoneImages
  readonly #access: TransferAccess
  readonly #keys: TsigKeys
  readonly #parts: TransferParts
  readonly #notices: PeerNotices

  constructor(parts: TransferParts, zones: ServedZones) {
    this.#parts = parts
    this.#zones = zones
    this.#images = new ZoneImages(parts.directory)
    this.#access = new TransferAccess(parts.allow)
    this.#keys = new TsigKeys(parts.answering.tsigKeys ?? [])
    this.#notices = new PeerNotices(parts.logger, parts.clock)
  }

  take(packet: Uint8Array, asker: PacketAsker): AsyncIterable<Uint8Array> | undefined {
    if (!asksForTransfer(packet)) return undefined
    const query = parseQuery(packet)
    // A responder answers what is malformed.
    if (query.kind === 'drop' || query.kind === 'error') return undefined
    // The packet may be part of a buffer that is used again.
    return this.#answer(Buffer.from(packet), query, plainAddress(asker.client))
  }

  async stop(): Promise<void> {
    await this.#images.stop()
  }

  async *#answer(
    packet: Buffer,
    query: Asked['query'],
    client: string,
  ): AsyncGenerator<Uint8Array, void> {
    let [key, sign]: [Asked['key'], Asked['sign']] = [undefined, (message) => message]
    if (query.kind === 'signed') {
      const checked = checkSigned(packet, query, this.#keys, this.#nowSeconds())
      if (checked.kind === 'refused') {
        this.#warn(
          { packet, query, client, key, sign },
          'refused',
          'its TSIG signature is not valid',
        )
        yield checked.answer
        return
      }
      key = checked.key
      sign = (message) => checked.signer.sign(message, this.#nowSeconds())
    }
    yield* this.#checked({ packet, query, client, key, sign })
  }

  async *#checked(asked: Asked): AsyncGenerator<Uint8Array, void> {
    const { packet, query, client, key, sign } = asked
    const { name, type, class: askedClass } = query.question
    if (!this.#access.allows(client, key)) {
      const why = '-dns-transfer-allow has no rule for that address and key'
      yield this.#refuse(asked, rcode.REFUSED, 'refused', why)
      return
    }
    const zone = askedClass === recordClass.IN ? this.#zones.find(name) : undefined
    if (zone === undefined) {
      yield this.#refuse(asked, rcode.NOTAUTH, 'refused', 'there is no such zone')
      return
    }
    if (zone.isRegistry && !this.#zones.hasRegistry) {
      yield this.#refuse(asked, rcode.SERVFAIL, 'failed', 'this server has not caught up yet')
      return
    }
    const known =
      type === recordType.IXFR ? serialInAuthority(packet, query.questionEnd) : undefined
    const soa = zone.soa()
    const serial = soa.data.kind === 'soa' ? soa.data.serial : 0
    // RFC 1995 §2: who has this version, or a newer one, gets the SOA alone.
    if (known !== undefined && !isNewerSerial(serial, known)) {
      this.results.unchanged++
      yield sign(soleSoa(asked, soa))
      return
    }
    yield* this.#transfer(asked, zone)
  }

  async *#transfer(asked: Asked, zone: ServedZone): AsyncGenerator<Uint8Array, void> {
    const beganMs = this.#parts.clock.monotonicMs()
    let image
    try {
      image = await this.#images.open(zone.image)
    } catch (error) {
      yield this.#refuse(asked, rcode.SERVFAIL, 'failed', reasonOf(error))
      return
    }
    let result: TransferResult = 'aborted'
    let isFirst = true
    this.running++
    try {
      for await (const message of image.messages()) {
        const signed = asked.sign(
          fitToQuery(message, { packet: asked.packet, ...asked.query }, isFirst),
        )
        isFirst = false
        this.bytes += signed.length
        yield signed
      }
      result = 'completed'
      const tookMs = Math.round(this.#parts.clock.monotonicMs() - beganMs)
      const { serial, records, bytes } = image
      this.#info(asked, { serial, records, bytes, tookMs })
    } catch (error) {
      result = 'failed'
      if (image.failure?.isDamage === true) this.#parts.onSuspicion(image.failure.reason)
      this.#warn(asked, undefined, reasonOf(error))
      // RFC 5936 §2.2: once messages have left, only the end of the connection tells of the failure.
      if (!isFirst) throw error
      yield asked.sign(refusal(asked.packet, asked.query, rcode.SERVFAIL))
    } finally {
      this.running--
      this.results[result]++
      image.drop()
    }
  }

  #nowSeconds(): number {
    return Math.floor(this.#parts.clock.wallMs() / 1000)
  }

  #refuse(asked: Asked, code: Rcode, result: TransferResult, why: string): Buffer {
    this.#warn(asked, result, why)
    return asked.sign(refusal(asked.packet, asked.query, code))
  }

  #info({ query, client, key }: Asked, fields: object): void {
    const zone = formatName(query.question.name)
    const text = `transferred the zone ${zone} to ${client}`
    const who = { zone, client, key: nameOf(key) }
    this.#notices.info(client, `transfer of ${zone}`, { ...who, ...fields }, text)
  }

  #warn({ query, client, key }: Asked, result: TransferResult | undefined, why: string): void {
    if (result !== undefined) this.results[result]++
    const zone = formatName(query.question.name)
    const text = `did not transfer the zone ${zone} to ${client}: ${why}`
    this.#notices.warn(client, `no transfer of ${zone}`, { zone, client, key: nameOf(key) }, text)
  }
}

function nameOf(key: TsigKey | undefined): string | undefined {
  return key && formatName(key.name)
}

function soleSoa({ packet, query }: Asked, soa: ReturnType<ServedZone['soa']>): Buffer {
  const { bytes } = encode({
    question: query.question,
    rcode: rcode.NOERROR,
    authoritative: true,
    truncated: false,
    answer: [soa],
    authority: [],
    additional: [],
    edns: ednsReply(query.edns, []),
  })
  bytes.set(packet.subarray(0, 2))
  return bytes
}

import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { parseQuery } from '../../src/dns/query.ts'
import { recordType } from '../../src/dns/record.ts'
import type { ResourceRecord } from '../../src/dns/record.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { fitToQuery, transferMessages } from '../../src/transfer/messages.ts'
import { asksForTransfer, serialInAuthority } from '../../src/transfer/question.ts'
import { isNewerSerial } from '../../src/transfer/serial.ts'
import { buildQuery } from '../dns/fixture.ts'

const { A, TXT, SOA } = recordType
const numbers = { refresh: 1, retry: 2, expire: 3, minimum: 4 }
const soa: ResourceRecord = {
  name: ['example', 'org'],
  type: SOA,
  ttl: 60,
  data: { kind: 'soa', primary: ['ns'], mailbox: ['m'], serial: 7, ...numbers },
}

function* addresses(count: number): Generator<ResourceRecord> {
  for (let n = 0; n < count; n++) {
    const ip = new Uint8Array([10, n >> 16, n >> 8, n])
    yield { name: [`host-${n}`, 'example', 'org'], type: A, ttl: 5, data: { kind: 'ip', ip } }
  }
}

t.test('a transfer begins and ends with the SOA, and has each record once', async (t) => {
  const messages = [...transferMessages(soa, [soa, ...addresses(20_000)])].map((bytes) => ({
    bytes: bytes.length,
    reply: decodeReply(bytes),
  }))
  const records = messages.flatMap(({ reply }) => reply.answer)
  t.equal(records.length, 20_002)
  t.equal(new Set(records.map(({ name }) => name)).size, 20_001)
  t.strictSame(records.at(0), records.at(-1))
  t.match(records.at(0), { type: 'SOA', name: 'example.org.', ttl: 60 })
  t.ok(messages.length > 10)
  for (const { bytes, reply } of messages.slice(0, -1)) {
    t.ok(bytes >= 16 * 1024 && bytes <= 64 * 1024, `${bytes} octets`)
    t.strictSame(reply.flags, ['qr', 'aa'])
  }
  const questions = messages.map(({ reply }) => reply.question.type)
  t.strictSame(questions.slice(0, 2), ['AXFR', ''], 'the first message has the question')
})

t.test('records are taken as they are needed, not all at once', async (t) => {
  let taken = 0
  function* counted(): Generator<ResourceRecord> {
    for (const record of addresses(100_000)) {
      taken++
      yield record
    }
  }
  const messages = transferMessages(soa, counted())
  messages.next()
  t.ok(taken < 2000, `${taken} records for the first message`)
  messages.return()
})

t.test('long records share no message, and one that is too long is an error', async (t) => {
  const text = (octets: number): ResourceRecord => ({
    name: soa.name,
    type: TXT,
    ttl: 0,
    data: { kind: 'raw', bytes: new Uint8Array(octets).fill(1) },
  })
  const sizes = [...transferMessages(soa, [text(20_000), text(60_000), text(60_000)])]
  t.ok(sizes.every(({ length }) => length <= 65_535 - 700))
  t.equal(sizes.length, 4)
  t.throws(
    () => [...transferMessages(soa, [text(65_000)])],
    /TXT record at example\.org\. is too long/,
  )
})

t.test('a message answers its query: ID, question and OPT are those of the query', async (t) => {
  for (const edns of [undefined, 1232]) {
    const packet = buildQuery('EXAMPLE.org', 'IXFR', { id: 4242, edns })
    const parsed = parseQuery(packet)
    if (parsed.kind !== 'query') throw new Error(parsed.kind)
    const [message] = transferMessages(soa, [])
    const reply = decodeReply(fitToQuery(must(message), { packet, ...parsed }, true))
    t.match(reply, { id: 4242, question: { name: 'EXAMPLE.org.', type: 'IXFR' } })
    t.equal(reply.udpBytes, edns)
    t.equal(reply.answer.length, 2)
  }
})

t.test('only AXFR and IXFR queries ask for a transfer', async (t) => {
  const asks = (type: string) => asksForTransfer(buildQuery('example.org', type))
  t.ok(asks('AXFR'))
  t.ok(asks('IXFR'))
  t.notOk(asks('SOA'))
  t.notOk(asks('ANY'))
  const answer = buildQuery('example.org', 'AXFR')
  answer.writeUInt8(0x80, 2)
  t.notOk(asksForTransfer(answer))
  const whole = buildQuery('example.org', 'AXFR')
  for (let length = 0; length < whole.length; length++) {
    t.notOk(asksForTransfer(whole.subarray(0, length)) && length < 25, 'a packet that is cut')
  }
})

t.test('the serial of an IXFR query is that of its authority section (RFC 1995 §3)', async (t) => {
  const query = buildQuery('example.org', 'IXFR')
  const [message] = transferMessages(soa, [])
  // The answer section of a transfer begins with the same SOA, at the same place.
  const record = must(message).subarray(query.length, query.length + 2 + 10 + 4 + 3 + 20)
  const packet = Buffer.concat([query, record])
  packet.writeUInt16BE(1, 8)
  t.equal(serialInAuthority(packet, query.length), 7)
  t.equal(serialInAuthority(query, query.length), undefined, 'there is none')
  for (let length = query.length; length < packet.length; length++) {
    t.equal(serialInAuthority(packet.subarray(0, length), query.length), undefined)
  }
})

t.test('serials are compared on a circle (RFC 1982)', async (t) => {
  t.ok(isNewerSerial(2, 1))
  t.notOk(isNewerSerial(1, 1))
  t.notOk(isNewerSerial(1, 2))
  t.ok(isNewerSerial(5, 0xffff_fff0), 'after the end comes the beginning')
  t.notOk(isNewerSerial(0xffff_fff0, 5))
  t.notOk(isNewerSerial(0x8000_0000, 0), 'half around it is neither newer')
  t.notOk(isNewerSerial(0, 0x8000_0000), 'nor older')
})

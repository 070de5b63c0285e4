import { createHmac } from 'node:crypto'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { parseQuery } from '../../src/dns/query.ts'
import type { ParsedQuery } from '../../src/dns/query.ts'
import { rcode } from '../../src/dns/record.ts'
import { Responder } from '../../src/dns/responder.ts'
import { tsigError } from '../../src/dns/tsig.ts'
import type { Tsig } from '../../src/dns/tsig.ts'
import { defaultZone } from '../../src/dns/zone.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { timesOf } from '../../src/transfer/tsig/mac.ts'
import { AnswerSigner, signRequest } from '../../src/transfer/tsig/sign.ts'
import { signedQueries } from '../../src/transfer/tsig/signed-queries.ts'
import { isSignedAnswer, verifyRequest } from '../../src/transfer/tsig/verify.ts'
import { Bench, buildQuery } from '../dns/fixture.ts'
import { key, keyNamed, keys, now } from './keys.ts'

type Signed = Extract<ParsedQuery, { kind: 'signed' }>

function tsigIn(packet: Uint8Array): Tsig {
  const asQuery = Buffer.from(packet)
  // An answer is read as a query: only the position of the record matters.
  asQuery.writeUInt8(asQuery.readUInt8(2) & 0x07, 2)
  const parsed = parseQuery(asQuery)
  if (parsed.kind !== 'signed') throw new Error(`it is not signed: ${parsed.kind}`)
  return parsed.tsig
}

/** A responder with keys, at one moment. */
function signedBench(atSeconds = now) {
  const bench = new Bench()
  bench.registry.addNode('n1', '10.0.0.1').add('web', { at: '10.9.0.1' })
  for (let n = 0; n < 40; n++) bench.registry.add('many', { at: `10.9.1.${n}`, port: n })
  const { versions } = bench
  const responder = new Responder({
    zone: () => defaultZone(['consul'], 'dc1'),
    mode: () => 'ready',
    versions,
    others: { kv: versions.kv, query: versions.query },
    snapshot: () => ({
      view: bench.registry,
      generation: 0,
      applied: 0,
      others: { kv: 0, query: 0 },
    }),
    onError: (error) => {
      throw error
    },
    signed: signedQueries(keys, () => atSeconds),
    seed: 1,
  })
  const send = (packet: Uint8Array, transport: 'udp' | 'tcp' = 'udp'): Buffer =>
    Buffer.from(
      must(responder.respond(packet, { transport, client: '127.0.0.1', pathBytesMax: 1232 })),
    )
  return { responder, send }
}

const query = buildQuery('web.service.consul', 'A', { edns: 1232 })
const rcodeOf = (answer: Buffer): number => answer.readUInt8(3) & 0x0f

t.test('a signed query gets a signed answer, with each algorithm', async (t) => {
  const { send, responder } = signedBench()
  for (const each of [key, keyNamed('OLD', 'hmac-sha1'), keyNamed('big', 'hmac-sha512')]) {
    const { packet, mac } = signRequest(each, query, now)
    const answer = send(packet)
    t.equal(rcodeOf(answer), rcode.NOERROR)
    const tsig = tsigIn(answer)
    t.ok(isSignedAnswer(answer, tsig, each, mac, now), each.algorithm)
    t.notOk(isSignedAnswer(answer, tsig, each, Buffer.from(mac).fill(1), now), 'not of any request')
    t.notOk(isSignedAnswer(answer, tsig, each, mac, now + 301), 'nor at any time')
    answer.writeUInt8(9, tsig.start - 12)
    t.notOk(isSignedAnswer(answer, tsig, each, mac, now), 'nor with other contents')
  }
  const plain = send(query)
  t.equal(decodeReply(plain).answer.length, 1, 'and without a signature it is answered as before')
  t.equal(responder.counters.queries, 4, 'each query counts once')
})

t.test('the MAC is that of RFC 8945 §4.3.3, worked out by hand', async (t) => {
  const { packet, mac } = signRequest(keyNamed('Transfer.Example'), query, now)
  const variables = Buffer.concat([
    Buffer.from('\x08transfer\x07example\0'),
    Buffer.from('00ff00000000', 'hex'),
    Buffer.from('\x0bhmac-sha256\0'),
    timesOf(now),
    Buffer.from('00000000', 'hex'),
  ])
  const wanted = createHmac('sha256', 'a long secret').update(query).update(variables).digest()
  t.same(Buffer.from(mac), wanted)
  t.same(tsigIn(packet).mac, wanted)
})

t.test('a wrong signature is refused, with the error that names what is wrong', async (t) => {
  const { send } = signedBench()
  const errorIn = (packet: Uint8Array): number => {
    const answer = send(packet)
    t.equal(rcodeOf(answer), rcode.NOTAUTH)
    return tsigIn(answer).error
  }
  const { packet } = signRequest(key, query, now)
  const other = signRequest(keyNamed('nobody'), query, now).packet
  const wrong = signRequest(keyNamed('transfer.example', 'hmac-sha256', 'another one'), query, now)
  const weaker = signRequest(keyNamed('transfer.example', 'hmac-sha1'), query, now)
  t.equal(errorIn(other), tsigError.BADKEY)
  t.equal(errorIn(weaker.packet), tsigError.BADKEY, 'another algorithm than that of the key')
  t.equal(errorIn(wrong.packet), tsigError.BADSIG)
  const changed = Buffer.from(packet)
  changed.writeUInt8(0x78, 14)
  t.equal(errorIn(changed), tsigError.BADSIG, 'the question was changed on its way')
  t.equal(tsigIn(send(wrong.packet)).mac.length, 0, 'BADSIG is not signed (RFC 8945 §5.3.2)')
})

t.test('a query of another time gets BADTIME, signed, with the time of the server', async (t) => {
  const { send } = signedBench()
  for (const late of [now - 301, now + 301]) {
    const { packet, mac } = signRequest(key, query, late)
    const answer = send(packet)
    const tsig = tsigIn(answer)
    t.equal(rcodeOf(answer), rcode.NOTAUTH)
    t.equal(tsig.error, tsigError.BADTIME)
    t.equal(Buffer.from(tsig.times).readUIntBE(0, 6), late, 'the time of the request')
    t.equal(answer.readUIntBE(answer.length - 6, 6), now, 'the time of the server')
    t.notSame(tsig.mac.length, 0)
    t.notOk(isSignedAnswer(answer, tsig, key, mac, now), 'an error is never a valid answer')
  }
  const edge = send(signRequest(key, query, now - 300).packet)
  t.equal(rcodeOf(edge), rcode.NOERROR, 'within the fudge of 300 s it is valid')
})

t.test('a MAC that is cut gets BADTRUNC, and one of an impossible length FORMERR', async (t) => {
  const { packet } = signRequest(key, query, now)
  const tsig = tsigIn(packet)
  const cases = [
    [31, { kind: 'signed', error: tsigError.BADTRUNC }],
    [16, { kind: 'signed', error: tsigError.BADTRUNC }],
    [15, { kind: 'malformed' }],
    [0, { kind: 'unsigned', error: tsigError.BADSIG }],
  ] as const
  for (const [bytes, wanted] of cases) {
    const verdict = verifyRequest(packet, { ...tsig, mac: tsig.mac.subarray(0, bytes) }, keys, now)
    t.match(verdict, wanted, `${bytes} octets`)
  }
  const long = { ...tsig, mac: Buffer.concat([tsig.mac, Buffer.alloc(1)]) }
  t.match(verifyRequest(packet, long, keys, now), { kind: 'malformed' })
})

t.test('a forwarder may have changed the ID of a signed query', async (t) => {
  const { send } = signedBench()
  const { packet, mac } = signRequest(key, query, now)
  packet.writeUInt16BE(99, 0)
  const answer = send(packet)
  t.equal(answer.readUInt16BE(0), 99)
  t.ok(isSignedAnswer(answer, tsigIn(answer), key, mac, now), 'the original one is signed')
})

t.test(
  'an answer that has no room for its signature is cut, and the cut one is signed',
  async (t) => {
    const { send } = signedBench()
    const many = buildQuery('many.service.consul', 'A', {})
    const { packet, mac } = signRequest(key, many, now)
    const answer = send(packet)
    t.ok(answer.length <= 512)
    t.match(decodeReply(answer.subarray(0, 512)).flags, ['qr', 'tc'])
    t.ok(isSignedAnswer(answer, tsigIn(answer), key, mac, now))
    const whole = send(packet, 'tcp')
    t.equal(whole.readUInt16BE(6), 40, 'over TCP it is complete')
    t.ok(isSignedAnswer(whole, tsigIn(whole), key, mac, now))
  },
)

t.test('each message of a transfer is signed after the one before', async (t) => {
  const request = signRequest(key, query, now)
  const parsed = parseQuery(request.packet) as Signed
  const signer = new AnswerSigner(key, parsed.tsig)
  const [first, second] = [signer.sign(query, now), signer.sign(query, now)]
  t.ok(isSignedAnswer(first, tsigIn(first), key, request.mac, now))
  const macBefore = tsigIn(first).mac
  const length = Buffer.alloc(2)
  length.writeUInt16BE(macBefore.length)
  const wanted = createHmac('sha256', 'a long secret')
    .update(length)
    .update(macBefore)
    .update(query)
    .update(timesOf(now))
    .digest()
  t.same(Buffer.from(tsigIn(second).mac), wanted, 'with its times alone (RFC 8945 §5.3.1)')
})

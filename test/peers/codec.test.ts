import check from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { decodeMessage, encodeMessage, isRaftFrame } from '../../src/peers/codec.ts'
import {
  buildFrame,
  FrameParser,
  frameBytesMax,
  frameHeaderBytes,
  frameTypes,
} from '../../src/peers/frame.ts'
import {
  decodeHello,
  decodeRefusal,
  encodeHello,
  encodeRefusal,
  judgeHello,
} from '../../src/peers/hello.ts'
import {
  decodeAck,
  decodeChunk,
  decodeDone,
  decodeOffer,
  encodeOffer,
} from '../../src/peers/snapshots/transfer.ts'
import type { Hello } from '../../src/peers/hello.ts'
import type { Message } from '../../src/raft/message.ts'

const envelope = { from: 'a', to: 'b' }
const count = fc.maxSafeNat()
const ids = fc.array(fc.string({ minLength: 1 }), { maxLength: 4 })

/** With the prototype that literals and decoders give. */
function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>
}

const snapshotMeta = plain({
  index: count,
  term: count,
  confIndex: count,
  config: plain({
    voters: ids,
    votersOutgoing: ids,
    learners: ids,
    addresses: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
    prevConfIndex: count,
  }),
})

const appendRequest = fc
  .record({
    prevIndex: fc.nat(),
    prevTerm: count,
    commit: count,
    drafts: fc.array(
      plain({
        term: count,
        kind: fc.constantFrom('command' as const, 'noop' as const, 'config' as const),
        data: fc.uint8Array({ maxLength: 700 }).map((data) => Buffer.from(data)),
      }),
      { maxLength: 20 },
    ),
  })
  .map(({ drafts, ...rest }) => ({
    ...rest,
    entries: drafts.map((draft, n) => ({ index: rest.prevIndex + 1 + n, ...draft })),
  }))

function typed(type: Message['type'], fields: fc.Arbitrary<object>): fc.Arbitrary<Message> {
  return fc
    .tuple(count, fields)
    .map(([term, rest]) => ({ type, term, ...envelope, ...rest }) as unknown as Message)
}

const last = { lastIndex: count, lastTerm: count }
const kinds: Record<Message['type'], fc.Arbitrary<Message>> = {
  'pre-vote-request': typed('pre-vote-request', fc.record(last)),
  'pre-vote-response': typed('pre-vote-response', fc.record({ granted: fc.boolean() })),
  'vote-request': typed('vote-request', fc.record({ ...last, transfer: fc.boolean() })),
  'vote-response': typed('vote-response', fc.record({ granted: fc.boolean() })),
  'append-request': typed('append-request', appendRequest),
  'append-response': typed(
    'append-response',
    fc.record({ index: count, rejected: fc.boolean(), hintIndex: count, hintTerm: count }),
  ),
  heartbeat: typed('heartbeat', fc.record({ commit: count, readToken: count })),
  'heartbeat-response': typed('heartbeat-response', fc.record({ readToken: count })),
  'snapshot-request': typed('snapshot-request', plain({ snapshot: snapshotMeta })),
  'timeout-now': typed('timeout-now', fc.record({})),
  'read-request': typed('read-request', fc.record({ id: count })),
  'read-response': typed('read-response', fc.record({ id: count, index: count })),
}
const anyMessage = fc.oneof(...Object.values(kinds))

const hello: fc.Arbitrary<Hello> = plain<Hello>({
  protocolMin: fc.nat(0xffff),
  protocolMax: fc.nat(0xffff),
  purpose: fc.constantFrom('messages' as const, 'snapshot' as const),
  epoch: count,
  features: fc.nat(),
  instance: count,
  clusterId: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  id: fc.string({ minLength: 1 }),
  name: fc.string(),
  address: fc.string(),
  to: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
})

/** A frame's type and body, as a parser finds them. */
function open(frame: Buffer): [number, Buffer] {
  return [frame.readUInt8(4), frame.subarray(frameHeaderBytes)]
}

t.test('every kind of message comes out as it went in', async (t) => {
  t.equal(Object.keys(kinds).length, 12)
  for (const [name, arbitrary] of Object.entries(kinds)) {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(arbitrary, (message) => {
          const frame = encodeMessage(message, 1)
          const [type, body] = open(frame)
          check.ok(isRaftFrame(type) && frame.readUInt32BE(0) === body.length)
          check.deepStrictEqual(decodeMessage(type, body, envelope), message, name)
        }),
        { numRuns: 50 },
      ),
    )
  }
})

t.test('no damaged message is taken for a message', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, bits) => {
        const [type, body] = open(encodeMessage(message, 1))
        const damaged = Buffer.from(body)
        const place = at % damaged.length
        damaged.writeUInt8(damaged.readUInt8(place) ^ bits, place)
        check.equal(decodeMessage(type, damaged, envelope), undefined)
        check.equal(decodeMessage(type, body.subarray(0, place), envelope), undefined, 'cut')
        const longer = Buffer.concat([body, Buffer.from([bits])])
        check.equal(decodeMessage(type, longer, envelope), undefined, 'longer')
        const other = 32 + ((type - 32 + 1 + (bits % 11)) % 12)
        check.equal(decodeMessage(other, body, envelope), undefined, 'of another type')
      }),
      { numRuns: 300 },
    ),
  )
})

t.test('no bytes whatever make a decoder throw, or allocate by their word', async (t) => {
  const huge = Buffer.alloc(1 << 16, 0xff)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(255), (bytes, type) => {
        const body = Buffer.from(bytes)
        decodeMessage(type, body, envelope)
        for (const decode of [decodeHello, decodeRefusal, decodeAck, decodeChunk, decodeDone]) {
          decode(body)
        }
        decodeOffer(body, envelope)
      }),
      { numRuns: 2000 },
    ),
  )
  // With a CRC that fits, so that the fields are read: a count of 2^32 - 1 entries, none there.
  const empty = encodeMessage(must(fc.sample(kinds['append-request'], 1)[0]), 1)
  t.ok(empty.length > 0)
  const { crc32 } = await import('node:zlib')
  const body = Buffer.concat([Buffer.alloc(4), Buffer.alloc(32), huge])
  body.writeUInt32BE(crc32(body.subarray(4), 36), 0)
  const before = process.memoryUsage().arrayBuffers
  t.equal(decodeMessage(36, body, envelope), undefined)
  t.ok(process.memoryUsage().arrayBuffers - before < 1 << 20)
})

t.test('greetings, refusals and offers come out as they went in', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(hello, (greeting) => {
        const [type, body] = open(encodeHello(greeting))
        check.equal(type, frameTypes.hello)
        check.deepStrictEqual(decodeHello(body), greeting)
        const later = Buffer.concat([body, Buffer.from('more')])
        check.deepStrictEqual(decodeHello(later), greeting, 'of a later release')
      }),
      { numRuns: 200 },
    ),
  )
  const [, refusal] = open(encodeRefusal({ code: 'protocol', text: 'a\nb' }))
  t.strictSame(decodeRefusal(refusal), { code: 'protocol', text: String.raw`a\u{a}b` })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(kinds['snapshot-request'], count, (request, size) => {
        if (request.type !== 'snapshot-request') return
        const offer = { size, sha256: 'ab'.repeat(32), request }
        check.deepStrictEqual(decodeOffer(open(encodeOffer(offer, 1))[1], envelope), offer)
      }),
      { numRuns: 50 },
    ),
  )
})

t.test('a stream gives the same frames wherever it is split', async (t) => {
  const frame = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 90 }))
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(40)), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(([type, body]) => buildFrame(type, 3, [body])))
        const found: [number, string][] = []
        const parser = new FrameParser({ bytesMax: 200, version: 3 }, (type, body) => {
          found.push([type, body.toString('hex')])
          return true
        })
        let at = 0
        for (const cut of [...cuts, stream.length]) {
          check.equal(parser.push(stream.subarray(at, at + cut)), undefined)
          at = Math.min(at + cut, stream.length)
        }
        check.deepStrictEqual(
          found,
          frames.map(([type, body]) => [type, Buffer.from(body).toString('hex')]),
        )
      }),
      { numRuns: 300 },
    ),
  )
})

t.test('a header that cannot be is refused before anything is allocated', async (t) => {
  const parser = () =>
    new FrameParser({ bytesMax: frameBytesMax, version: 1 }, () => t.fail('no frame'))
  const header = (edit: (frame: Buffer) => void): Buffer => {
    const frame = buildFrame(9, 1, [])
    edit(frame)
    return frame
  }
  const before = process.memoryUsage().arrayBuffers
  const cases: [string, Buffer, RegExp][] = [
    ['length', header((frame) => frame.writeUInt32BE(0xffff_ffff)), /4294967303 bytes/],
    ['one too long', header((frame) => frame.writeUInt32BE(frameBytesMax - 7)), /at most 4194304/],
    ['version', header((frame) => frame.writeUInt8(9, 5)), /version 9, not 1/],
    ['flags', header((frame) => frame.writeUInt16BE(4, 6)), /unknown flags \(4\)/],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), /bytes/],
  ]
  for (const [what, frame, fault] of cases) {
    t.match(parser().push(frame), fault, what)
    const bytewise = parser()
    let found: string | undefined
    for (const byte of frame.subarray(0, 8)) found ??= bytewise.push(Buffer.from([byte]))
    t.match(found, fault, `${what}, byte by byte`)
  }
  t.ok(process.memoryUsage().arrayBuffers - before < 1 << 20)
})

t.test('two servers judge each other alike, and name the cause', async (t) => {
  const base: Hello = {
    protocolMin: 1,
    protocolMax: 3,
    purpose: 'messages',
    epoch: 0,
    features: 0b110,
    instance: 1,
    clusterId: 'c1',
    id: 'a',
    name: 'n1',
    address: '10.0.0.1:8300',
    to: undefined,
  }
  const other = { ...base, instance: 2, id: 'b', name: 'n2', features: 0b011 }
  const cases: [string, Partial<Hello>, object][] = [
    ['fitting', {}, { version: 3, features: 0b010, isSameCluster: true }],
    ['an older release', { protocolMax: 2 }, { version: 2, isSameCluster: true }],
    ['without a cluster', { clusterId: undefined, epoch: 7 }, { isSameCluster: false }],
    ['too new', { protocolMin: 4, protocolMax: 5 }, { code: 'protocol', text: /4 to 5.*1 to 3/ }],
    ['its own', { id: 'a', instance: 1 }, { code: 'self' }],
    ['a copy', { id: 'a' }, { code: 'same-id', text: /copied/ }],
    ['cluster', { clusterId: 'c2' }, { code: 'wrong-cluster', text: /cluster c2.* to c1/ }],
    ['epoch', { epoch: 1 }, { code: 'wrong-epoch', text: /epoch 1 .* epoch 0,/ }],
    ['dialled for another', { to: 'z' }, { code: 'unexpected-id', text: /expected node ID z/ }],
  ]
  for (const [what, change, verdict] of cases) {
    t.match(judgeHello(base, { ...other, ...change }, undefined), verdict, what)
  }
  const dialling = { ...base, to: 'z' }
  t.match(judgeHello(dialling, other, undefined), { code: 'unexpected-id', text: /ID z/ })
  const certificate = (of: string, name?: string) => ({
    certificate: {
      names: of,
      isFor: (n: string) => n === of,
      hasRole: () => false,
      isForAnyServer: () => false,
    },
    name,
  })
  t.match(judgeHello(base, other, certificate('n2')), { isSameCluster: true })
  t.match(judgeHello(base, other, certificate('b')), { isSameCluster: true })
  t.match(judgeHello(base, other, certificate('n3')), {
    code: 'certificate',
    text: /n2 \(b, .*is for n3/,
  })
  t.match(judgeHello(base, other, certificate('n2', 'n2')), { isSameCluster: true })
  t.match(judgeHello(base, other, certificate('b', 'n7')), { isSameCluster: true }, 'of the id')
  const stranger = { ...other, name: 'web7' }
  t.match(judgeHello(base, stranger, certificate('web7', 'n2')), {
    code: 'certificate',
    text: /web7 \(b, .*is for web7, but the cluster knows that node ID as n2/,
  })
})

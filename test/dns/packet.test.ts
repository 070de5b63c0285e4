import fc from 'fast-check'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { encode, optLength } from '../../src/dns/encode.ts'
import { fit } from '../../src/dns/fit.ts'
import { formatName, parseName, readName, sameName } from '../../src/dns/name.ts'
import { parseQuery } from '../../src/dns/query.ts'
import { QueryScan, variantOf } from '../../src/dns/query-scan.ts'
import { rcode, recordType } from '../../src/dns/record.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { Bench, buildQuery } from './fixture.ts'
import { changed, cookie, longLabel, oddPackets, query, rawName, withOpt } from './odd-packets.ts'
import type { Message } from '../../src/dns/message.ts'
import type { Name } from '../../src/dns/name.ts'
import type { ResourceRecord } from '../../src/dns/record.ts'

function bench(): Bench {
  const bench = new Bench()
  bench.registry
    .addNode('n1', '10.0.0.1', { os: 'linux' })
    .add('web', { at: '10.9.0.1', port: 80 }, { at: '10.9.0.2', port: 80 }, { nodeAt: '10.9.0.3' })
  return bench
}

t.test('each packet gets the rcode that the table says, or silence', async (t) => {
  const server = bench()
  for (const [title, [packet, wanted]] of Object.entries(oddPackets)) {
    const reply = server.send(packet)
    t.equal(reply === undefined ? undefined : decodeReply(reply).rcode, wanted, title)
    if (reply === undefined) continue
    t.equal(reply.readUInt16BE(0), packet.readUInt16BE(0), `${title}: the id is echoed`)
    const hasOpt = packet[11] === 1 && packet.length >= withOpt().length
    if (hasOpt && title !== 'OPT that is not at the root') {
      t.equal(decodeReply(reply).udpBytes, 1232, `${title}: OPT is answered with OPT`)
    }
  }
  t.same(server.errors, [])
})

/** A TSIG record (RFC 8945 §4.2), its MAC of 32 octets. */
function tsig({ key = 'Key.example', ttl = 0, cls = 255, mac = 32, other = 0 } = {}): Buffer {
  const name = (text: string): Buffer =>
    Buffer.concat([
      ...text.split('.').map((label) => Buffer.from(String.fromCharCode(label.length) + label)),
      Buffer.from([0]),
    ])
  const data = Buffer.concat([
    name('hmac-sha256'),
    Buffer.from('00006717aabb012c', 'hex'),
    Buffer.from([0, mac]),
    Buffer.alloc(32, 0xab),
    Buffer.from([0x12, 0x67, 0, 0, 0, other]),
  ])
  const head = Buffer.alloc(10)
  head.writeUInt16BE(250, 0)
  head.writeUInt16BE(cls, 2)
  head.writeUInt32BE(ttl, 4)
  head.writeUInt16BE(data.length, 8)
  return Buffer.concat([name(key), head, data])
}

/** The packet with records behind it, counted as additional ones. */
function withMore(packet: Buffer, ...records: readonly Buffer[]): Buffer {
  return changed(Buffer.concat([packet, ...records]), [11, (packet[11] ?? 0) + records.length])
}

t.test('a query signed by TSIG gets NOTAUTH with BADKEY, unsigned (RFC 8945 §5.2.1)', async (t) => {
  const server = bench()
  const badKey =
    `${Buffer.from('\x03Key\x07example\0').toString('hex')}00fa00ff00000000001d` +
    `${Buffer.from('\x0bhmac-sha256\0').toString('hex')}00006717aabb012c0000126700110000`
  for (const packet of [query, withOpt()]) {
    const reply = must(server.send(withMore(packet, tsig())))
    t.equal((reply[3] ?? 0) & 0x0f, rcode.NOTAUTH)
    t.equal((reply[2] ?? 0) & 0x84, 0x80, 'a response without authority')
    t.same(reply.subarray(12, query.length), query.subarray(12), 'the question is echoed')
    t.equal(
      reply.subarray(4, 12).toString('hex'),
      `00010000000000${packet[11] === 1 ? '02' : '01'}`,
    )
    t.equal(reply.subarray(-badKey.length / 2).toString('hex'), badKey, 'TSIG comes last')
    t.equal(reply.length, query.length + (packet[11] === 1 ? 11 : 0) + badKey.length / 2)
  }
  const signed = withMore(query, tsig())
  t.ok(must(server.send(signed)).length < signed.length, 'it amplifies nothing')
  t.equal(server.responder.counters.rcodes[rcode.NOTAUTH], 3)
  t.equal(decodeReply(must(server.send(query))).rcode, 'NOERROR', 'and unsigned it is answered')
})

t.test('a TSIG record that is malformed or not the last one is FORMERR', async (t) => {
  const server = bench()
  const opt = withOpt().subarray(query.length)
  const whole = tsig()
  const faulty: Record<string, Buffer> = {
    'before OPT': withMore(query, whole, opt),
    twice: withMore(query, whole, whole),
    'class IN': withMore(query, tsig({ cls: 1 })),
    'with a TTL': withMore(query, tsig({ ttl: 1 })),
    'a MAC that is too long': withMore(query, tsig({ mac: 39 })),
    'a MAC that is too short': withMore(query, tsig({ mac: 31 })),
    'other data that are not there': withMore(query, tsig({ other: 1 })),
    'among the answers': changed(Buffer.concat([query, whole]), [7, 1]),
    'cut short': withMore(query, whole).subarray(0, -1),
  }
  for (const [title, packet] of Object.entries(faulty)) {
    t.equal(decodeReply(must(server.send(packet))).rcode, 'FORMERR', title)
  }
})

t.test('a NOTAUTH that does not fit is cut, with TC', async (t) => {
  const server = bench()
  const key = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(60)).join('.')
  const long = Buffer.concat([...Array<Buffer>(4).fill(longLabel)]).subarray(0, 254)
  const name = changed(Buffer.concat([long, Buffer.from([0])]), [192, 61])
  const question = Buffer.concat([query.subarray(0, 12), name, Buffer.from([0, 1, 0, 1])])
  const packet = withMore(question, tsig({ key }))
  const reply = must(server.send(packet))
  t.strictSame([(reply[2] ?? 0) & 0x02, (reply[3] ?? 0) & 0x0f], [0x02, rcode.NOTAUTH])
  t.ok(reply.length <= 512)
  t.equal((must(server.send(packet, { tcp: true }))[2] ?? 0) & 0x02, 0, 'over TCP it is whole')
})

t.test('ID, RD, CD and the question go back as they came, 0x20 case and all', async (t) => {
  const server = bench()
  for (const name of ['web.service.consul', 'wEb.SeRvIcE.cOnSuL', 'nOpe.service.Consul']) {
    for (const [high, low] of [
      [0, 0],
      [1, 0],
      [0, 0x10],
      [1, 0x10],
    ] as const) {
      const packet = changed(buildQuery(name, 'SRV', { id: 513 + low }), [2, high], [3, low])
      const reply = must(server.send(packet))
      t.equal(reply.subarray(0, 2).toString('hex'), packet.subarray(0, 2).toString('hex'))
      t.equal((reply[2] ?? 0) & 0x01, high)
      t.equal((reply[3] ?? 0) & 0x90, low, 'CD is echoed, RA is 0')
      t.same(reply.subarray(12, packet.length), packet.subarray(12))
    }
  }
})

t.test('questions that differ in more than letters’ case have answers of their own', async (t) => {
  const server = bench()
  // HTTPS is type 65 = 'A', type 97 = 'a': folding the whole question would mix them up.
  t.equal(server.ask('web.service.consul', 'TYPE97').question.type, 'TYPE97')
  t.equal(server.ask('web.service.consul', 'HTTPS').question.type, 'HTTPS')
  // Octets beyond ASCII have no case (RFC 4343 §3).
  const upper = rawName(Buffer.from('\x01\xc0\x07service\x06consul\x00', 'latin1'))
  const lower = rawName(Buffer.from('\x01\xe0\x07service\x06consul\x00', 'latin1'))
  server.send(upper)
  const before = server.responder.counters.hits
  server.send(lower)
  t.equal(server.responder.counters.hits, before)
})

const scan = new QueryScan(1)

/** What the fast reading takes for an ordinary query must be one, or the cache would answer it. */
function isAgreed(packet: Uint8Array, tcp: boolean): boolean {
  const transport = tcp ? 'tcp' : 'udp'
  if (!scan.read(packet, transport, 8192)) return true
  const parsed = parseQuery(packet)
  if (parsed.kind === 'error') return packet[scan.questionEnd - 3] === recordType.OPT
  return (
    parsed.kind === 'query' &&
    parsed.questionEnd === scan.questionEnd &&
    variantOf(parsed.edns, transport, 8192) === scan.variant
  )
}

t.test('any octets at all get an answer that decodes, or none', async (t) => {
  const server = bench()
  const valid = fc.constantFrom(
    query,
    withOpt(),
    withOpt(cookie(8)),
    buildQuery('web.service.consul', 'SRV', { edns: 512 }),
    buildQuery('n1.node.dc1.consul', 'ANY'),
    buildQuery('_web._tcp.consul', 'SRV', { edns: 4096 }),
    buildQuery('0a090001.addr.dc1.consul', 'AAAA'),
  )
  const mutated = fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }), fc.nat(90))
    .map(([packet, patches, length]) =>
      changed(packet, ...patches.filter(([at]) => at < packet.length)).subarray(
        0,
        length < 60 ? undefined : length,
      ),
    )
  const random = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))
  const headed = fc
    .uint8Array({ maxLength: 300 })
    .map((bytes) => Buffer.concat([Buffer.from('123401000001000000000001', 'hex'), bytes]))
  fc.assert(
    fc.property(fc.oneof(mutated, random, headed), fc.boolean(), (packet, tcp) => {
      const reply = server.send(packet, { tcp })
      if (reply === undefined) return packet.length < 12 || ((packet[2] ?? 0) & 0x80) !== 0
      const decoded = decodeReply(reply)
      if (!isAgreed(packet, tcp)) return false
      return decoded.id === packet.readUInt16BE(0) && reply.length <= (tcp ? 65_535 : 8192)
    }),
    { numRuns: 20_000 },
  )
  t.same(server.errors, [])
})

t.test('the fast reading of a query agrees with the full parser', async (t) => {
  const name = fc
    .array(fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/), { minLength: 1, maxLength: 6 })
    .map((labels) => labels.join('.'))
  const size = fc.option(fc.nat(65_535), { nil: undefined })
  const path = fc.constantFrom(512, 1232, 8192)
  const holds = fc.check(
    fc.property(name, size, path, fc.boolean(), (name, edns, pathBytesMax, tcp) => {
      const transport = tcp ? 'tcp' : 'udp'
      const packet = buildQuery(name, 'SRV', { edns })
      const parsed = parseQuery(packet)
      if (parsed.kind !== 'query' || !scan.read(packet, transport, pathBytesMax)) return false
      return (
        scan.questionEnd === parsed.questionEnd &&
        scan.variant === variantOf(parsed.edns, transport, pathBytesMax)
      )
    }),
  )
  t.equal(holds.failed, false, fc.defaultReportMessage(holds) ?? 'agrees')
})

t.test('names', async (t) => {
  t.test('text and labels go both ways', async (t) => {
    t.same(parseName('a\\.b.c'), ['a.b', 'c'])
    t.same(parseName('a\\046b.c.'), ['a.b', 'c'])
    t.equal(formatName(['a.b', 'c d']), 'a\\.b.c\\032d.')
    t.equal(formatName([]), '.')
    for (const bad of ['a..b', '.a', `${'x'.repeat(64)}.a`, 'a\\25', 'a\\256', 'x.'.repeat(128)]) {
      t.equal(parseName(bad), undefined, bad)
    }
    t.equal(parseName('x.'.repeat(127))?.length, 127)
    const label = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 63,
    })
    fc.assert(
      fc.property(fc.array(label, { maxLength: 3 }), (labels) => {
        const ascii = labels.map((each) => each.replaceAll(/[\x80-\xff]/g, 'x'))
        return sameName(must(parseName(formatName(ascii))), ascii)
      }),
    )
  })

  t.test('case means nothing for A to Z, and only for those (RFC 4343)', async (t) => {
    t.ok(sameName(['WeB', 'consul'], ['web', 'CONSUL']))
    t.notOk(sameName(['a.b'], ['a', 'b']))
    t.notOk(sameName(['\u00c0'], ['\u00e0']))
  })

  t.test('a compressed name may point back, and nowhere else', async (t) => {
    const read = (hex: string, start: number) =>
      readName(Buffer.from('00'.repeat(12) + hex, 'hex'), 12 + start, 12 + hex.length / 2)
    t.same(read('03616263000178c00c', 5), { name: ['x', 'abc'], next: 21 })
    t.equal(read('0161c00c', 0), undefined, 'to itself')
    t.equal(read('c00e0161', 0), undefined, 'forward')
    t.equal(read('c00ec00c', 2), undefined, 'in a circle')
    t.equal(read('c000', 0), undefined, 'into the header')
    t.equal(read('c0', 0), undefined, 'cut short')
  })
})

const zone: Name = ['consul']
const record = (name: Name, type: number, data: ResourceRecord['data']): ResourceRecord => ({
  name,
  type,
  ttl: 0,
  data,
})
function srvMessage(count: number): Message {
  const name = ['web', 'service', ...zone]
  const targets = Array.from({ length: count }, (_, n) => [`host${n}`, 'node', 'dc1', ...zone])
  return {
    question: { name, type: recordType.SRV, class: 1 },
    rcode: rcode.NOERROR,
    authoritative: true,
    truncated: false,
    answer: targets.map((target) =>
      record(name, recordType.SRV, { kind: 'srv', priority: 1, weight: 1, port: 80, target }),
    ),
    authority: [],
    additional: targets.map((target, n) =>
      record(target, recordType.A, { kind: 'ip', ip: new Uint8Array([10, 0, 0, n & 255]) }),
    ),
    edns: { udpSize: 1232, dnssecOk: false, extendedErrors: [] },
  }
}

t.test('SRV targets stand in full; all other names are compressed', async (t) => {
  const { bytes } = encode(srvMessage(2))
  const full = Buffer.from('\x05host0\x04node\x03dc1\x06consul\x00', 'latin1')
  t.ok(bytes.includes(full), 'the target is written label by label')
  t.equal(bytes.readUInt16BE(36), 0xc00c, 'the owner points to the question')
  const glue = bytes.subarray(bytes.lastIndexOf('host1'))
  t.equal(glue.readUInt16BE(5) & 0xc000, 0xc000, 'the owner of glue points back after one label')
  t.same(
    decodeReply(bytes).answer.map(({ data }) => data),
    ['1 1 80 host0.node.dc1.consul.', '1 1 80 host1.node.dc1.consul.'],
  )
})

t.test('an answer is fitted: additional goes first, TC only when the answer is cut', async (t) => {
  const message = srvMessage(20)
  const sizes = { full: encode(message).bytes.length, bare: 0 }
  sizes.bare = encode({ ...message, additional: [] }).bytes.length
  for (let limit = 100; limit <= sizes.full + 10; limit++) {
    const fitted = fit(message, limit)
    const { bytes } = encode(fitted)
    const complete = fitted.answer.length === 20
    const targets = new Set(decodeReply(bytes).answer.map(({ data }) => data.split(' ')[3]))
    if (
      bytes.length > limit ||
      fitted.truncated === complete ||
      complete !== limit >= sizes.bare ||
      fitted.answer.length === 0 ||
      (fitted.truncated && fitted.additional.length > 0) ||
      fitted.edns === undefined ||
      decodeReply(bytes).additional.some(({ name }) => !targets.has(name))
    ) {
      t.fail(`limit ${limit}`, { fitted, length: bytes.length })
    }
  }
  t.equal(fit(message, sizes.full), message)
  t.equal(fit(message, sizes.full - 1).additional.length, 19)
  t.equal(optLength(message.edns), 11)
})

t.test('one record that is too long for any answer leaves it empty, with TC', async (t) => {
  const server = bench()
  server.registry.addNode('big', '10.0.0.1', { text: 'x'.repeat(600) })
  const reply = server.ask('big.node.consul', 'TXT')
  t.equal(reply.answer.length, 0)
  t.ok(reply.flags.includes('tc'))
  t.equal(server.ask('big.node.consul', 'TXT', { tcp: true }).answer.length, 1)
  t.notOk(server.ask('big.node.consul', 'A').flags.includes('tc'), 'extras go without TC')
})

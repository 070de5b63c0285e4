import t from 'tap'
import { ask, decodeReply } from '../../src/net/dns-client.ts'
import { buildQuery } from '../dns/fixture.ts'

t.test('an address to which this machine has no route is an error that names it', async (t) => {
  // The system refuses to connect a socket to the broadcast address.
  const server = { address: '255.255.255.255', port: 53 }
  await t.rejects(ask(server, 'web.service.consul', 'A'), {
    code: 'dns-unreachable',
    message: /^No DNS server answers at 255\.255\.255\.255:53 \(connect E(?:ACCES|NETUNREACH)/,
  })
})

/** The reply of a server to one query, with these options in its OPT record. */
function replyWith(...options: readonly Buffer[]): Buffer {
  const data = Buffer.concat(options)
  const query = buildQuery('web.service.consul', 'A', { id: 7 })
  query.writeUInt16BE(0x8182, 2)
  query.writeUInt16BE(1, 10)
  const opt = Buffer.from([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, data.length >> 8, data.length & 0xff])
  return Buffer.concat([query, opt, data])
}

function option(code: number, ...data: readonly (string | number)[]): Buffer {
  const body = Buffer.concat(
    data.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([0, part]))),
  )
  return Buffer.concat([Buffer.from([0, code, 0, body.length]), body])
}

t.test('Extended DNS Errors are read with their names and texts', async (t) => {
  const cookie = option(10, 'abcdefgh')
  const bytes = replyWith(
    cookie,
    option(15, 3),
    option(15, 23, 'no route to 10.0.0.1'),
    option(15, 22, 'a C string\0'),
    option(15, 99),
  )
  const { rcode, extendedErrors, udpBytes } = decodeReply(bytes)
  t.equal(rcode, 'SERVFAIL')
  t.equal(udpBytes, 1232)
  t.strictSame(extendedErrors, [
    { code: 3, name: 'Stale Answer', text: '' },
    { code: 23, name: 'Network Error', text: 'no route to 10.0.0.1' },
    { code: 22, name: 'No Reachable Authority', text: 'a C string' },
    { code: 99, name: '', text: '' },
  ])
})

t.test('options that are cut short are not read beyond their end', async (t) => {
  const cut = option(15, 3, 'text')
  cut.writeUInt16BE(200, 2)
  t.strictSame(decodeReply(replyWith(cut)).extendedErrors, [])
  t.strictSame(decodeReply(replyWith(Buffer.from([0, 15, 0]))).extendedErrors, [])
})

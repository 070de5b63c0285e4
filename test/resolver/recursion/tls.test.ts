import t from 'tap'
import { authority, leaf } from '../../helpers/certificates.ts'
import { FakeUpstream, reply } from '../../helpers/fake-upstream.ts'
import { extendedErrorsIn, startRecursion } from './rig.ts'

const ca = authority()
const good = leaf(ca, { dnsNames: ['dns.test'], ipAddresses: ['127.0.0.1'] })

t.test(
  'a server with TLS is asked over TLS only, on one connection, with padded queries',
  async (t) => {
    const upstream = await FakeUpstream.start(
      t,
      (asked) => reply(asked, { answer: ['@ 60 A 192.0.2.1'], authentic: true }),
      good,
    )
    const servers = [`tls://${upstream.address}#dns.test`]
    const { ask } = await startRecursion(t, servers, { ca: [ca.cert], timeoutMs: 20_000 })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(`a${n}.test`)))
    t.ok(answers.every(({ answer }) => answer[0]?.data === '192.0.2.1'))
    t.strictSame([...new Set(upstream.asked.map(({ transport }) => transport))], ['stream'])
    t.equal(new Set(upstream.asked.map(({ port }) => port)).size, 1)
    t.ok(upstream.asked.every(({ packet }) => packet.length === 128))
    const wanted = await ask('a1.test', 'A', { edit: (query) => void query.writeUInt8(0x20, 3) })
    t.ok(((wanted.raw[3] ?? 0) & 0x20) !== 0, 'AD over TLS, for a client that asks for it')
    t.ok(((answers[0]?.raw[3] ?? 0) & 0x20) === 0, 'and not for one that does not')
  },
)

t.test('a certificate for another name, or of another authority, is not accepted', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) => reply(asked), good)
  const rigs = [
    { name: 'bank.test', ca: ca.cert },
    { name: 'dns.test', ca: authority().cert },
  ]
  for (const { name, ca } of rigs) {
    await t.test(name, async (t) => {
      const servers = [`tls://${upstream.address}#${name}`]
      const { ask } = await startRecursion(t, servers, { ca: [ca], timeoutMs: 20_000 })
      const answer = await ask('a.test', 'A', { edns: 1232 })
      t.equal(answer.rcode, 'SERVFAIL')
      t.strictSame(extendedErrorsIn(answer.raw), [23])
    })
  }
  t.strictSame(upstream.asked, [])
})

t.test('without a name the certificate must be valid for the address', async (t) => {
  const upstream = await FakeUpstream.start(
    t,
    (asked) => reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
    good,
  )
  const servers = [`tls://${upstream.address}`]
  const { ask } = await startRecursion(t, servers, { ca: [ca.cert], timeoutMs: 20_000 })
  t.match((await ask('a.test')).answer, [{ data: '192.0.2.1' }])
})

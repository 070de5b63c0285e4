import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ask } from '../../../src/net/dns-client.ts'
import { rcode } from '../../../src/dns/record.ts'
import { defaultZone } from '../../../src/dns/zone.ts'
import { FakeUpstream, reply } from '../../helpers/fake-upstream.ts'
import { until } from '../../helpers/until.ts'
import { extendedErrorsIn, startRecursion } from './rig.ts'

t.test('an outside name is answered by the upstream server, and then from the cache', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const { ask: query, dns } = await startRecursion(t, [upstream.address])
  const first = await query('Www.Example.COM', 'A', { edns: 1232 })
  t.match(first.answer, [{ type: 'A', ttl: 60, data: '192.0.2.1' }])
  t.strictSame(first.flags, ['qr', 'rd', 'ra'])
  t.equal(first.question.name, 'Www.Example.COM.', 'the case of the client')
  const second = await query('www.example.com', 'A')
  t.match(second.answer, [{ name: 'www.example.com.', data: '192.0.2.1' }])
  t.equal(second.udpBytes, undefined, 'no OPT without OPT')
  t.equal(upstream.asked.length, 1)
  t.equal(dns.figures.recursion?.queries, 1)
  t.equal(dns.figures.udp[0]?.outsideMisses, 1)
})

t.test(
  'names of the registry are not asked upstream, and their answers offer recursion',
  async (t) => {
    const upstream = await FakeUpstream.start(t, (asked) => reply(asked))
    const { ask: query, register } = await startRecursion(t, [upstream.address])
    await register('web', '10.9.0.1')
    const answer = await query('web.service.consul')
    t.match(answer.answer, [{ data: '10.9.0.1' }])
    t.strictSame(answer.flags, ['qr', 'aa', 'rd', 'ra'])
    t.equal((await query('nothing.service.consul')).rcode, 'NXDOMAIN')
    t.equal(upstream.asked.length, 0)
  },
)

t.test('an address that the registry knows is not asked upstream, any other is', async (t) => {
  const soa = ['10.in-addr.arpa 60 SOA 60']
  const upstream = await FakeUpstream.start(t, (asked) => {
    return reply(asked, { rcode: rcode.NXDOMAIN, authority: soa })
  })
  const { ask: query, register } = await startRecursion(t, [upstream.address])
  t.equal((await query('7.0.9.10.in-addr.arpa', 'PTR')).rcode, 'NXDOMAIN')
  await register('web', '10.9.0.7')
  t.match((await query('7.0.9.10.in-addr.arpa', 'PTR')).answer, [
    { data: 'web.service.dc1.consul.' },
  ])
  t.equal(upstream.asked.length, 1)
})

t.test('a client that may not recurse, or does not want to, is refused', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const allowed = await startRecursion(t, [upstream.address])
  const withoutRd = { edit: (query: Buffer) => void query.writeUInt8(0, 2) }
  t.equal((await allowed.ask('example.com', 'A', withoutRd)).rcode, 'REFUSED')
  t.equal((await allowed.ask('example.com', 'AXFR')).rcode, 'REFUSED')
  t.test('from another network', async (t) => {
    const other = await startRecursion(t, [upstream.address], { allow: ['192.0.2.0/24'] })
    const answer = await other.ask('example.com')
    t.equal(answer.rcode, 'REFUSED')
    t.notOk(answer.flags.includes('ra'))
  })
  t.equal(upstream.asked.length, 0)
})

t.test('a thousand equal questions at one time are one question upstream', async (t) => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const upstream = await FakeUpstream.start(t, async (asked) => {
    await held
    return reply(asked, { answer: ['@ 60 A 192.0.2.1'] })
  })
  const { ask: query, dns } = await startRecursion(t, [upstream.address], { timeoutMs: 60_000 })
  const all = Array.from({ length: 1000 }, () => query('example.com'))
  await until('all wait', 60_000, () => dns.figures.recursion?.waiting === 1000)
  release()
  const answers = await Promise.all(all)
  t.ok(answers.every(({ answer }) => answer[0]?.data === '192.0.2.1'))
  t.equal(upstream.asked.length, 1)
  t.equal(dns.figures.recursion?.shared, 999)
})

t.test('NXDOMAIN is cached for the time of its SOA; without SOA it is not', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) => {
    const authority = asked.name.toLowerCase().startsWith('a') ? ['example.com 60 SOA 30'] : []
    return reply(asked, { rcode: rcode.NXDOMAIN, authority })
  })
  const { ask: query, dns } = await startRecursion(t, [upstream.address])
  // A busy machine may send a query twice, so the packets say nothing.
  const askedUpstream = (): number => {
    const { queries = 0, cached = 0 } = dns.figures.recursion ?? {}
    return queries - cached
  }
  const counts: number[] = []
  for (const name of ['a.example.com', 'a.example.com', 'b.example.com', 'b.example.com']) {
    t.equal((await query(name.toUpperCase())).rcode, 'NXDOMAIN')
    counts.push(askedUpstream())
  }
  const [a = 0, aAgain = 0, b = 0, bAgain = 0] = counts
  t.equal(aAgain, a)
  t.ok(bAgain > b, `${b}, then ${bAgain}`)
})

t.test('a server that is dead is passed over for the next one', async (t) => {
  const dead = await FakeUpstream.start(t, () => undefined)
  const closed = await FakeUpstream.start(t, () => undefined)
  await closed.close()
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const { ask: query, dns } = await startRecursion(
    t,
    [dead.address, closed.address, upstream.address],
    { timeoutMs: 1000 },
  )
  for (const name of ['a.test', 'b.test', 'c.test']) {
    t.match((await query(name)).answer, [{ data: '192.0.2.1' }])
  }
  t.equal(dead.asked.length, 2, 'after two time-outs it is asked last')
  t.match(dns.figures.recursion?.servers, [{ timeouts: 2, isDown: 1 }, {}, { answered: 3 }])
})

t.test('without any server: SERVFAIL that says why', async (t) => {
  const dead = await FakeUpstream.start(t, () => undefined)
  const closed = await FakeUpstream.start(t, () => undefined)
  await closed.close()
  const silent = await startRecursion(t, [dead.address], { timeoutMs: 100 })
  const answer = await silent.ask('example.com', 'A', { edns: 1232 })
  t.equal(answer.rcode, 'SERVFAIL')
  t.strictSame(extendedErrorsIn(answer.raw), [22])
  t.test('where nobody listens', async (t) => {
    const nobody = await startRecursion(t, [closed.address])
    const refused = await nobody.ask('example.com', 'A', { edns: 1232 })
    t.equal(refused.rcode, 'SERVFAIL')
    t.strictSame(extendedErrorsIn(refused.raw), [23])
  })
})

t.test('an answer that has expired is given as stale when no server answers', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 1 A 192.0.2.1'] }),
  )
  const { ask: query, dns } = await startRecursion(t, [upstream.address], { timeoutMs: 1000 })
  await query('example.com')
  await upstream.close()
  let answer = await query('example.com', 'A', { edns: 1232 })
  while (extendedErrorsIn(answer.raw).length === 0)
    answer = await query('example.com', 'A', { edns: 1232 })
  t.match(answer.answer, [{ ttl: 30, data: '192.0.2.1' }])
  t.strictSame(extendedErrorsIn(answer.raw), [3])
  const again = await query('example.com', 'A', { edns: 1232 })
  t.strictSame(extendedErrorsIn(again.raw), [3], 'from the cache')
  t.equal(dns.figures.recursion?.stale, 1)
})

t.test('an answer in use is refreshed before it expires', async (t) => {
  let last = 0
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: [`@ 10 A 192.0.2.${++last}`] }),
  )
  const { ask: query } = await startRecursion(t, [upstream.address])
  await until('the answer has changed', 60_000, async () => {
    return (await query('example.com')).answer[0]?.data === '192.0.2.2'
  })
  t.equal(last, 2)
})

t.test('a truncated answer is asked for again over TCP, and cut for the client', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) => {
    if (asked.transport === 'udp') return reply(asked, { truncated: true })
    return reply(asked, { answer: Array.from({ length: 100 }, (_, n) => `@ 60 A 192.0.2.${n}`) })
  })
  const { ask: query, port } = await startRecursion(t, [upstream.address])
  const cut = await query('example.com')
  t.ok(cut.flags.includes('tc'))
  t.ok(cut.bytes <= 512 && cut.answer.length > 20, `${cut.bytes} octets`)
  const larger = await query('example.com', 'A', { edns: 1232 })
  t.ok(larger.bytes <= 1232 && larger.answer.length > 60)
  const whole = await ask({ address: '127.0.0.1', port }, 'example.com', 'A', { tcp: true })
  t.equal(whole.answer.length, 100)
  t.equal(upstream.asked.length, 2)
})

t.test(
  'over TCP, outside names and names of the registry are answered on one connection',
  async (t) => {
    const upstream = await FakeUpstream.start(t, (asked) =>
      reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
    )
    const { port, register } = await startRecursion(t, [upstream.address])
    await register('web', '10.9.0.1')
    const server = { address: '127.0.0.1', port }
    t.match((await ask(server, 'example.com', 'A', { tcp: true })).answer, [{ data: '192.0.2.1' }])
    t.match((await ask(server, 'web.service.consul', 'A', { tcp: true })).answer, [
      { data: '10.9.0.1' },
    ])
    t.match((await ask(server, 'example.com', 'A', { tcp: true })).flags, ['qr', 'rd', 'ra'])
  },
)

t.test('an alias of the registry is followed to an outside name', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) => {
    if (asked.name.toLowerCase().startsWith('gone')) {
      return reply(asked, { rcode: rcode.NXDOMAIN, authority: ['test 60 SOA 60'] })
    }
    return reply(asked, { answer: ['@ 77 CNAME b.test', 'b.test 50 A 192.0.2.9'] })
  })
  const { ask: query, register, port } = await startRecursion(t, [upstream.address])
  await register('db', 'a.test')
  await register('lost', 'gone.test')
  for (const transport of ['udp', 'tcp', 'udp']) {
    const answer =
      transport === 'udp'
        ? await query('db.service.consul', 'A', { edns: 1232 })
        : await ask({ address: '127.0.0.1', port }, 'db.service.consul', 'A', { tcp: true })
    t.match(answer.answer, [
      { name: 'db.service.consul.', type: 'CNAME', ttl: 0, data: 'a.test.' },
      { name: 'a.test.', type: 'CNAME', ttl: 77, data: 'b.test.' },
      { name: 'b.test.', type: 'A', ttl: 50, data: '192.0.2.9' },
    ])
    t.strictSame(answer.flags, ['qr', 'aa', 'rd', 'ra'])
  }
  const lost = await query('lost.service.consul')
  t.equal(lost.rcode, 'NXDOMAIN')
  t.match(lost.answer, [{ type: 'CNAME' }])
  t.match((await query('db.service.consul', 'CNAME')).answer, [{ data: 'a.test.' }])
  t.equal(upstream.asked.length, 2)
})

t.test('with several threads and without recvmmsg it is the same', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const { ask: query } = await startRecursion(t, [upstream.address], {}, { path: 'dgram' })
  t.match((await query('example.com')).answer, [{ data: '192.0.2.1' }])
  t.match((await query('example.com')).answer, [{ data: '192.0.2.1' }])
  t.equal(upstream.asked.length, 1)
})

t.test('a recursor thread that dies is started again, and answers', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const { ask: query, port, recursorThread } = await startRecursion(t, [upstream.address])
  t.match((await query('a.test')).answer, [{ data: '192.0.2.1' }])
  await recursorThread.terminate()
  const patient = { timeoutMs: 3000, attempts: 5 }
  const server = { address: '127.0.0.1', port }
  t.match((await ask(server, 'b.test', 'A', patient)).answer, [{ data: '192.0.2.1' }])
  t.match((await ask(server, 'c.test', 'A', { ...patient, tcp: true })).answer, [
    { data: '192.0.2.1' },
  ])
  t.match((await ask(server, 'web.service.consul', 'A', patient)).rcode, 'NXDOMAIN')
})

t.test('a DNS thread that dies leaves no sockets open, and its successor asks again', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const { ask: query, port, dnsThread } = await startRecursion(t, [upstream.address])
  t.match((await query('a.test')).answer, [{ data: '192.0.2.1' }])
  const before = openSockets()
  await dnsThread.terminate()
  const patient = { timeoutMs: 3000, attempts: 5 }
  const server = { address: '127.0.0.1', port }
  t.match((await ask(server, 'b.test', 'A', patient)).answer, [{ data: '192.0.2.1' }])
  t.equal(openSockets(), before)
})

/** How many sockets and epoll descriptors this process has. */
function openSockets(): number {
  const directory = '/proc/self/fd'
  const targets = readdirSync(directory).map((fd) => {
    try {
      return readlinkSync(join(directory, fd))
    } catch {
      // Of the directory itself.
      return ''
    }
  })
  return targets.filter((target) => /^socket:|eventpoll/.test(target)).length
}

t.test('DO and CD are passed on, and AD reaches clients that ask for it', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'], authentic: true }),
  )
  const { ask: query } = await startRecursion(t, [upstream.address])
  const flags = (packet: Buffer | undefined): object => ({
    checkingDisabled: ((packet?.[3] ?? 0) & 0x10) !== 0,
    authentic: ((packet?.[3] ?? 0) & 0x20) !== 0,
    dnssecOk: ((packet?.at(-4) ?? 0) & 0x80) !== 0,
  })
  const plain = await query('example.com', 'A', { edns: 1232 })
  t.match(flags(upstream.asked[0]?.packet), { checkingDisabled: false, dnssecOk: false })
  t.match(flags(plain.raw), { authentic: false })
  const dnssecOk = (packet: Buffer): void => void packet.writeUInt8(0x80, packet.length - 4)
  const secured = await query('example.com', 'A', { edns: 1232, edit: dnssecOk })
  t.match(flags(upstream.asked[1]?.packet), { checkingDisabled: false, dnssecOk: true })
  t.match(flags(secured.raw), { authentic: true, dnssecOk: true })
  const unchecked = (packet: Buffer): void => void packet.writeUInt8(0x30, 3)
  const raw = await query('example.com', 'A', { edns: 1232, edit: unchecked })
  t.match(flags(upstream.asked[2]?.packet), { checkingDisabled: true, dnssecOk: false })
  t.match(flags(raw.raw), { checkingDisabled: true, authentic: true })
  t.equal(upstream.asked.length, 3)
})

t.test('new zones make the cache void', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const { ask: query, dns } = await startRecursion(t, [upstream.address])
  await query('www.corp.test')
  await dns.setZone({ ...defaultZone(['consul'], 'dc1'), altDomain: ['corp', 'test'] })
  t.equal((await query('www.corp.test')).rcode, 'NXDOMAIN')
  await dns.setZone(defaultZone(['consul'], 'dc1'))
  t.match((await query('www.corp.test')).answer, [{ data: '192.0.2.1' }])
  t.equal(upstream.asked.length, 2)
})

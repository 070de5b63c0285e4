import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { clientGroup } from '../../../src/base/client-group.ts'
import { isLoopback, plainAddress } from '../../../src/net/connections/client-address.ts'
import { ConnectionBudget } from '../../../src/net/connections/budget.ts'
import type { PortBudget, PortLimits, Slot } from '../../../src/net/connections/budget.ts'
import {
  descriptorPlan,
  descriptorsMin,
  descriptorsNeeded,
} from '../../../src/net/connections/descriptor-plan.ts'
import { openFilesIn, openFilesMax } from '../../../src/process/descriptor-limit.ts'

const wide: PortLimits = {
  openMax: 1000,
  perAddressMax: Infinity,
  perLocalAddressMax: Infinity,
  atAddressMax: 'displace',
}

/** A port, with its connections by name; `open('10.0.0.1 a')` opens one from there. */
class Port {
  readonly budget: PortBudget
  readonly slots = new Map<string, Slot>()

  constructor(limits: Partial<PortLimits> = {}, all = new ConnectionBudget(1000)) {
    this.budget = all.port({ ...wide, ...limits })
  }

  /** What came of it: `in`, who made room, or why it is refused. */
  open(name: string): string {
    const address = must(name.split(' ')[0])
    const admitted = this.budget.admit({ address, isLocal: isLoopback(address) }, () => {})
    if (typeof admitted === 'string') return `refused: ${admitted}`
    this.slots.set(name, admitted.slot)
    const { displaced } = admitted
    if (displaced === undefined) return 'in'
    return `for ${[...this.slots].find(([, slot]) => slot === displaced)?.[0]}`
  }

  do(line: string): string {
    const [, what = '', name = ''] = /^(enter|leave|touch|close|open) (.*)$/.exec(line) ?? []
    if (what === 'open') return this.open(name)
    const slot = must(this.slots.get(name))
    if (what === 'close') slot.release()
    else slot[what as 'enter' | 'leave' | 'touch']()
    return ''
  }
}

t.test('who gets a connection, and for whom', async (t) => {
  const cases: [string, Partial<PortLimits>, readonly (readonly [string, string?])[]][] = [
    [
      'a full port closes the one that has been idle longest',
      { openMax: 4 },
      [
        ['open 10.0.0.1 a', 'in'],
        ['open 10.0.0.2 b', 'in'],
        ['open 10.0.0.3 c', 'in'],
        ['open 10.0.0.4 d', 'in'],
        ['touch 10.0.0.1 a'],
        ['open 10.0.0.5 e', 'for 10.0.0.2 b'],
        ['open 10.0.0.6 f', 'for 10.0.0.3 c'],
      ],
    ],
    [
      'one that waits for an answer is never closed',
      { openMax: 2 },
      [
        ['open 10.0.0.1 a', 'in'],
        ['open 10.0.0.2 b', 'in'],
        ['enter 10.0.0.1 a'],
        ['open 10.0.0.3 c', 'for 10.0.0.2 b'],
        ['enter 10.0.0.3 c'],
        ['open 10.0.0.4 d', 'refused: total'],
        ['enter 10.0.0.1 a'],
        ['leave 10.0.0.1 a'],
        ['open 10.0.0.4 d', 'refused: total'],
        ['leave 10.0.0.1 a'],
        ['open 10.0.0.4 d', 'for 10.0.0.1 a'],
      ],
    ],
    [
      'an address at its limit is refused, others are not',
      { perAddressMax: 2, atAddressMax: 'refuse' },
      [
        ['open 10.0.0.1 a', 'in'],
        ['open 10.0.0.1 b', 'in'],
        ['open 10.0.0.1 c', 'refused: address'],
        ['open 10.0.0.2 d', 'in'],
        ['close 10.0.0.1 a'],
        ['open 10.0.0.1 c', 'in'],
      ],
    ],
    [
      'or makes room itself',
      { perAddressMax: 2 },
      [
        ['open 10.0.0.2 z', 'in'],
        ['open 10.0.0.1 a', 'in'],
        ['open 10.0.0.1 b', 'in'],
        ['open 10.0.0.1 c', 'for 10.0.0.1 a'],
        ['enter 10.0.0.1 b'],
        ['enter 10.0.0.1 c'],
        ['open 10.0.0.1 d', 'refused: address'],
      ],
    ],
    [
      'this machine has a limit of its own',
      { perAddressMax: 1, perLocalAddressMax: 2, atAddressMax: 'refuse' },
      [
        ['open 10.0.0.1 a', 'in'],
        ['open 10.0.0.1 b', 'refused: address'],
        ['open 127.0.0.1 c', 'in'],
        ['open 127.0.0.1 d', 'in'],
        ['open 127.0.0.1 e', 'refused: address'],
      ],
    ],
    [
      'all addresses of this machine together leave a quarter to others',
      { openMax: 4 },
      [
        ['open 127.0.0.1 a', 'in'],
        ['open 127.0.0.2 b', 'in'],
        ['open 127.0.0.3 c', 'in'],
        ['open 127.0.0.4 d', 'for 127.0.0.1 a'],
        ['open 10.0.0.1 e', 'in'],
        ['enter 127.0.0.2 b'],
        ['enter 127.0.0.3 c'],
        ['enter 127.0.0.4 d'],
        ['open 127.0.0.5 f', 'refused: address'],
      ],
    ],
    [
      'and so do those of one subnet of IPv6, each with its own limit',
      { openMax: 4, perAddressMax: 2 },
      [
        ['open 2001:db8::1 a', 'in'],
        ['open 2001:db8::1 b', 'in'],
        ['open 2001:db8::1 c', 'for 2001:db8::1 a'],
        ['open 2001:db8::2 d', 'in'],
        ['open 2001:db8::3 e', 'for 2001:db8::1 b'],
        ['open 2001:db8:0:1::1 f', 'in'],
      ],
    ],
    [
      'beyond so many that have not greeted, the oldest of these goes',
      { openMax: 100, idleMax: 4 },
      [
        ['open 10.0.0.1 a', 'in'],
        ['enter 10.0.0.1 a'],
        ['open 10.0.0.2 b', 'in'],
        ['open 10.0.0.2 c', 'in'],
        ['open 10.0.0.2 d', 'in'],
        ['open 10.0.0.2 e', 'for 10.0.0.2 b'],
        ['open 10.0.0.3 f', 'in'],
        ['open 10.0.0.4 g', 'for 10.0.0.2 c'],
      ],
    ],
  ]
  for (const [what, limits, lines] of cases) {
    const port = new Port(limits)
    const said = lines.map(([line]) => [line, port.do(line)])
    t.strictSame(
      said,
      lines.map(([line, answer = '']) => [line, answer]),
      what,
    )
  }
})

t.test('two ports share what there is, and one cannot take it all', async (t) => {
  const all = new ConnectionBudget(8)
  const http = new Port({ openMax: 6, perLocalAddressMax: Infinity }, all)
  const dns = new Port({ openMax: 6 }, all)
  for (let n = 0; n < 20; n++) {
    const name = `10.0.0.${n} http`
    if (http.open(name) !== 'refused: total') http.do(`enter ${name}`)
  }
  t.equal(http.budget.figures.open, 6)
  t.equal(http.budget.figures.refusedTotal, 14)
  t.equal(dns.open('10.0.1.1 a'), 'in')
  t.equal(dns.open('10.0.1.2 b'), 'in')
  t.equal(dns.open('10.0.1.3 c'), 'for 10.0.1.1 a', 'the pool is full, DNS makes room itself')
  t.equal(all.open, 8)
})

t.test('nothing is kept of an address that has no connection', async (t) => {
  const port = new Port({ openMax: 50 })
  for (let n = 0; n < 5000; n++) port.open(`10.1.${n >> 8}.${n & 255} x`)
  t.equal(port.budget.figures.open, 50)
  t.equal(port.budget.addressCount, 50)
  for (const slot of port.slots.values()) {
    slot.release()
    slot.release()
    slot.leave()
    slot.touch()
  }
  t.match(port.budget.figures, { open: 0, displaced: 4950, accepted: 5000 })
  t.equal(port.budget.addressCount, 0)
})

t.test('a place costs the same with 16,000 as with 100', async (t) => {
  const costOf = (openMax: number): number => {
    const port = new Port({ openMax }, new ConnectionBudget(openMax))
    for (let n = 0; n < openMax; n++)
      port.budget.admit({ address: `10.${n % 200}.0.1`, isLocal: false }, () => {})
    const startMs = performance.now()
    for (let n = 0; n < 20_000; n++)
      port.budget.admit({ address: `10.${n % 200}.0.1`, isLocal: false }, () => {})
    return performance.now() - startMs
  }
  costOf(100)
  const [few, many] = [costOf(100), costOf(16_000)]
  t.ok(many < 10 * few + 50, `${many} ms, ${few} ms with few`)
})

t.test('addresses as they are counted', async (t) => {
  const cases: [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
  ]
  for (const [address, group] of cases) t.equal(clientGroup(plainAddress(address)), group)
  t.ok(isLoopback('::1') && isLoopback('127.9.9.9') && !isLoopback('10.127.0.1'))
})

t.test('descriptors are divided so that all together have no more than there are', async (t) => {
  const needs = { clients: 20_480, peers: 256, probes: 256, scripts: 32, dnsThreads: 1 }
  t.strictSame(descriptorPlan(Infinity, needs), {
    clients: 20_480,
    peers: 256,
    probes: 256,
    scripts: 32,
  })
  t.strictSame(
    descriptorPlan(descriptorsNeeded(needs), needs),
    { clients: 20_480, peers: 256, probes: 256, scripts: 32 },
    'what is needed gives all',
  )
  t.ok(descriptorPlan(descriptorsNeeded(needs) - 1, needs).clients < 20_480, 'and no less does')
  t.strictSame(descriptorPlan(400, needs), { clients: 146, peers: 58, probes: 53, scripts: 6 })
  for (let limit = descriptorsMin(needs.dnsThreads); limit < 30_000; limit += 7) {
    const { clients, peers, probes, scripts } = descriptorPlan(limit, needs)
    const rest = limit - 96 - 12
    if (clients + peers + probes + 3 * scripts > rest) t.fail(`${limit} is divided into more`)
    if (clients < Math.min(20_480, Math.floor(rest / 2) - 2)) t.fail(`${limit}: clients ${clients}`)
    if (peers < 9 || probes < 6 || scripts < 1) t.fail(`${limit} leaves too little`)
  }
})

t.test('the limit is read from the system', async (t) => {
  const text =
    'Max processes  10 20 processes\nMax open files            400                  4096                 files\n'
  t.equal(openFilesIn(text), 400)
  t.equal(openFilesIn('Max open files            unlimited unlimited files'), Infinity)
  t.equal(openFilesIn(''), undefined)
  t.ok(openFilesMax() >= 64)
})

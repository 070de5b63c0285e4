import t from 'tap'
import { IpPrefixes, parsePrefix } from '../../src/base/ip-prefixes.ts'
import { parseRecursor } from '../../src/config/recursors.ts'

t.test('a recursor is an address, with a port and TLS if need be', async (t) => {
  const plain = (address: string, port: number) => ({ address, port, tls: undefined })
  t.strictSame(parseRecursor('10.0.0.2'), plain('10.0.0.2', 53))
  t.strictSame(parseRecursor('10.0.0.2:5353'), plain('10.0.0.2', 5353))
  t.strictSame(parseRecursor('fd00::2'), plain('fd00::2', 53))
  t.strictSame(parseRecursor('[fd00::2]:5353'), plain('fd00::2', 5353))
  const tls = { address: '1.1.1.1', port: 853, tls: { name: 'one.example' } }
  t.strictSame(parseRecursor('tls://1.1.1.1#one.example'), tls)
  t.strictSame(parseRecursor('tls://1.1.1.1:8853'), {
    ...tls,
    port: 8853,
    tls: { name: undefined },
  })
  t.strictSame(parseRecursor('tls://[fd00::2]#a'), {
    address: 'fd00::2',
    port: 853,
    tls: { name: 'a' },
  })
  for (const bad of [
    '',
    'dns.example',
    '10.0.0.2#name',
    '10.0.0.2:0',
    '10.0.0.2:99999',
    '0.0.0.0',
    'tls://',
    'tls://1.1.1.1#a#b',
    'tls://1.1.1.1#..',
    '{{ GetPrivateIP }}',
  ]) {
    t.equal(parseRecursor(bad), undefined, bad)
  }
})

t.test('a network holds the addresses that begin with its bits', async (t) => {
  const networks = new IpPrefixes(['10.1.0.0/15', '192.0.2.7', 'fd00::/9', '::1'])
  for (const inside of [
    '10.1.2.3',
    '10.0.0.1',
    '192.0.2.7',
    'fd7f::1',
    '::1',
    '::ffff:10.1.2.3',
    'fd00::1%eth0',
  ]) {
    t.ok(networks.containsText(inside), inside)
    t.ok(networks.containsText(inside), `${inside} again`)
  }
  for (const outside of ['10.2.0.1', '192.0.2.8', 'fe80::1', '::2', '::ffff:10.2.0.1', 'x']) {
    t.notOk(networks.containsText(outside), outside)
  }
  t.ok(new IpPrefixes(['0.0.0.0/0']).containsText('203.0.113.9'))
  for (const bad of ['10.0.0.0/33', '10.0.0.0/', '10.0.0', 'fd00::/129', '10.0.0.0/8/8']) {
    t.equal(parsePrefix(bad), undefined, bad)
  }
})

import { svcdError } from '../../src/base/errors.ts'
import type { DnsTraffic, LocalDns } from '../../src/ports/dns.ts'

/** Some queries, of names that need different rights. */
export const fixedTraffic: DnsTraffic = {
  seconds: 10,
  perSecond: 12.3456,
  cachedShare: 0.9,
  transports: [
    { transport: 'udp', perSecond: 12, p50Ms: 0.025, p99Ms: 0.1 },
    { transport: 'tcp', perSecond: 0.3456, p50Ms: undefined, p99Ms: undefined },
  ],
  rcodes: { NOERROR: 12, NXDOMAIN: 0.3456 },
  types: { A: 12.3456 },
  names: [
    {
      name: 'web.service.consul.',
      perSecond: 8,
      rights: [{ resource: 'service', name: 'web' }],
    },
    { name: 'n1.node.consul.', perSecond: 3, rights: [{ resource: 'node', name: 'n1' }] },
    { name: '1.0.0.10.in-addr.arpa.', perSecond: 1, rights: [{ resource: 'node' }] },
    { name: 'www.example.org.', perSecond: 0.3, rights: [] },
  ],
  missing: [
    {
      name: 'gone.service.consul.',
      perSecond: 0.3456,
      rights: [{ resource: 'service', name: 'gone' }],
    },
  ],
  clients: [{ name: '10.0.0.9', perSecond: 12.3456, rights: [] }],
}

/** A DNS server that answers each question with one record, for tests of the API. */
export const fixedDns: LocalDns = {
  address: '127.0.0.1',
  port: 8600,
  traffic: async () => fixedTraffic,
  ask: async (name, type) => {
    if (type === 'NONSENSE') throw svcdError('invalid-field', { field: 'type', reason: 'unknown' })
    const record = { name, ttl: 0, type, data: '10.0.0.1' }
    return {
      rcode: 'NOERROR',
      flags: ['qr', 'aa'],
      answer: [record],
      authority: [],
      additional: [],
    }
  },
}

import { svcdError } from '../../src/base/errors.ts'
import type { LocalDns } from '../../src/ports/dns.ts'

/** A DNS server that answers each question with one record, for tests of the API. */
export const fixedDns: LocalDns = {
  address: '127.0.0.1',
  port: 8600,
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

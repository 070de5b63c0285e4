import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { createAuthority } from '../../src/pki/authority.ts'
import { leaf } from '../helpers/certificates.ts'

const dayMs = 86_400_000

t.test('no certificate outlives its authority, and an expired authority signs none', (t) => {
  const nowMs = Date.now()
  const ca = createAuthority({ days: 30, nowMs })
  const validTo = (pem: string): string => new X509Certificate(pem).validTo
  t.equal(validTo(leaf(ca, { days: 365, nowMs }).cert), validTo(ca.cert))
  t.not(validTo(leaf(ca, { days: 29, nowMs }).cert), validTo(ca.cert))
  const later = { nowMs: nowMs + 31 * dayMs }
  t.throws(() => leaf(ca, later), { message: /^the authority expired on \d{4}-/ })
  t.end()
})

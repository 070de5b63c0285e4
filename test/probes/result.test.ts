import t from 'tap'
import { failedProbe } from '../../src/probes/result.ts'

const failed = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })
const evidenceOf = (error: Error): string => failedProbe('TCP db:1', error).evidence

const table: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'the host answered, and refused',
    'proof',
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'CERT_HAS_EXPIRED', 'ERR_HTTP2_ERROR', 'HPE_INVALID'],
  ],
  [
    'nothing was heard of the host',
    'absence',
    ['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EPERM', 'EACCES'],
  ],
  ['its name does not resolve', 'absence', ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA']],
  ['this host could not ask', 'none', ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']],
]

t.test('the error of a connection is proof, absence of evidence, or neither', async (t) => {
  for (const [claim, evidence, codes] of table) {
    for (const code of codes) t.equal(evidenceOf(failed(code)), evidence, `${claim}: ${code}`)
  }
})

t.test('of several addresses one that refuses is proof', async (t) => {
  const [refused, silent] = [failed('ECONNREFUSED'), failed('EHOSTUNREACH')]
  t.equal(evidenceOf(new AggregateError([silent, refused])), 'proof')
  t.equal(evidenceOf(new AggregateError([silent, silent])), 'absence')
})

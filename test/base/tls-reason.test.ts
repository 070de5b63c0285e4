import t from 'tap'
import { reasonOf } from '../../src/base/errors.ts'
import { tlsReason } from '../../src/base/tls-reason.ts'

const dump = (code: string, reason: string): string =>
  `80FC2566837F0000:error:${code}:SSL routines:ssl3_get_record:${reason}:../deps/openssl/openssl/ssl/record/ssl3_record.c:350:\n`

t.test('what OpenSSL says is its cause in words, on one line', async (t) => {
  const cases: readonly (readonly [message: string, words: string])[] = [
    [
      dump('0A00010B', 'wrong version number'),
      'the other side does not speak TLS (wrong version number)',
    ],
    [dump('0A00009C', 'http request'), 'the other side does not speak TLS (http request)'],
    [
      dump('0A000102', 'unsupported protocol'),
      'the other side supports no TLS version that is allowed (unsupported protocol)',
    ],
    [
      dump('0A0000C7', 'peer did not return a certificate'),
      'a certificate is required, but none was sent (peer did not return a certificate)',
    ],
    [
      dump('0A000418', 'tlsv1 alert unknown ca'),
      'the authority that signed the certificate is not trusted (tlsv1 alert unknown ca)',
    ],
    [
      'error:0480006C:PEM routines::no start line',
      'it is not a PEM file of the required kind (no start line)',
    ],
    [
      'error:05800074:x509 certificate routines::key values mismatch',
      'the key does not belong to the certificate (key values mismatch)',
    ],
    [dump('0A000100', 'brand new fault'), 'TLS: brand new fault'],
    // Three of them in one text, each on a line of its own: the first is the cause.
    [
      ['wrong version number', 'b', 'c'].map((reason) => dump('0A00010B', reason)).join(''),
      'the other side does not speak TLS (wrong version number)',
    ],
  ]
  for (const [message, words] of cases) t.equal(reasonOf(new Error(message)), words)
})

t.test('other errors keep their words', async (t) => {
  for (const message of ['connect ECONNREFUSED 127.0.0.1:1', 'error: 12', 'Error: a:b:c:d', '']) {
    t.equal(tlsReason(message), undefined)
    t.equal(reasonOf(new Error(message)), message)
  }
})

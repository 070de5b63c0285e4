import t from 'tap'
import { redact } from '../../src/config/redact.ts'
import { openPortWarning, peerSecret } from '../../src/config/peer-secret.ts'

const key = Buffer.alloc(32, 7).toString('base64')
const strict = { mode: 'strict', verifyServerRole: undefined } as const
const none = { certFile: undefined, keyFile: undefined, caFile: undefined, ...strict }
const ports = { dns: 8600, dnsTls: -1, dnsHttps: -1, http: 8500, https: -1, server: 8300 }

t.test(
  'a port that others can reach, with neither a secret nor certificates, is warned of',
  async (t) => {
    const open = { bindAddress: '10.0.0.1', encrypt: [], encryptVerify: true, peerTls: none, ports }
    const said = /anyone who can reach port 8300 on 10.0.0.1 can act as a server.*-encrypt/
    const cases: readonly [string, object, RegExp | undefined][] = [
      ['an address of the network', {}, said],
      ['every address', { bindAddress: '0.0.0.0' }, /on 0.0.0.0/],
      ['every address, IPv6', { bindAddress: '::' }, /on ::/],
      ['the loopback address', { bindAddress: '127.0.0.1' }, undefined],
      ['any of them', { bindAddress: '127.1.2.3' }, undefined],
      ['the one of IPv6', { bindAddress: '::1' }, undefined],
      ['with a secret', { encrypt: [key] }, undefined],
      [
        'that is not verified yet',
        { encrypt: [key], encryptVerify: false },
        /-encrypt-verify=false/,
      ],
      [
        'with certificates',
        { peerTls: { certFile: 'c', keyFile: 'k', caFile: 'a', ...strict } },
        undefined,
      ],
      [
        'with certificates that are not required yet',
        { peerTls: { certFile: 'c', keyFile: 'k', caFile: 'a', ...strict, mode: 'permissive' } },
        /set -peer-tls-mode=strict/,
      ],
    ]
    for (const [what, change, expected] of cases) {
      const found = openPortWarning({ ...open, ...change })
      if (expected === undefined) t.equal(found, undefined, what)
      else t.match(found, expected, what)
      t.notMatch(found ?? '', key)
    }
  },
)

t.test('the keys reach the connections, and nobody else', async (t) => {
  t.equal(peerSecret({ encrypt: [], encryptVerify: true }), undefined)
  const secret = peerSecret({ encrypt: [key], encryptVerify: true })
  t.match(secret, { isRequired: true })
  t.equal(Buffer.from(secret?.keys[0] ?? []).toString('base64'), key)
  t.strictSame(redact({ encrypt: [key], encryptVerify: true }), {
    encrypt: '<hidden>',
    encryptVerify: true,
  })
})

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../../src/cli/run.ts'
import { pemFaults, readPeerTls } from '../../src/process/pem-files.ts'
import { missing } from '../helpers/tools.ts'

const off = { verifyIncoming: false }

/** A directory with a certificate, its key, another key, and a file that is neither. */
function filesFor(t: Test): (name: string) => string {
  const directory = t.testdir({ 'text.pem': 'not a PEM file\n' })
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  }
  const files = ['-keyout', 'n1.key', '-out', 'n1.pem']
  openssl('req', '-x509', '-newkey', 'ed25519', '-nodes', '-subj', '/CN=n1', '-days', '1', ...files)
  openssl('genpkey', '-algorithm', 'ed25519', '-out', 'other.key')
  openssl('pkey', '-in', 'n1.key', '-aes256', '-passout', 'pass:x', '-out', 'locked.key')
  return (name) => join(directory, name)
}

t.test(
  'a file that is not what its option needs is named with the reason',
  { skip: missing('openssl') },
  async (t) => {
    const at = filesFor(t)
    const good = { certFile: at('n1.pem'), keyFile: at('n1.key'), caFile: at('n1.pem') }
    t.strictSame(pemFaults(good, good, off, {}), [])
    t.match(readPeerTls(good), { cert: /BEGIN CERT/, key: /PRIVATE KEY/, ca: /BEGIN CERT/ })
    const cases = [
      [{ keyFile: at('none.key') }, /^Option -peer-key-file: ENOENT: .*none\.key/],
      [
        { certFile: at('n1.key') },
        /^Option -peer-cert-file: ".*n1\.key" cannot be used: it is not/,
      ],
      [
        { caFile: at('text.pem') },
        /^Option -peer-ca-file: ".*text\.pem" cannot be used: it is not/,
      ],
      [
        { keyFile: at('other.key') },
        /^Option -peer-key-file: .* does not belong to the certificate/,
      ],
      [{ keyFile: at('locked.key') }, /^Option -peer-key-file: .*locked\.key" cannot be used: /],
    ] as const
    for (const [change, message] of cases) {
      const [fault, ...more] = pemFaults({ ...good, ...change }, {}, off, {})
      t.match(fault, { code: 'invalid-option', message })
      t.strictSame(more, [])
      t.throws(() => readPeerTls({ ...good, ...change }), { message })
    }
    t.match(
      pemFaults({}, { ...good, keyFile: at('other.key') }, off, {}).map(({ message }) => message),
      [/^Option -check-key-file: /],
    )
    t.match(
      pemFaults({}, {}, off, { ...good, keyFile: at('other.key') }).map(({ message }) => message),
      [/^Option -dns-key-file: .* does not belong to the certificate/],
    )
  },
)

t.test(
  'validate reads the certificates and keys that a configuration names',
  { skip: missing('openssl') },
  async (t) => {
    const at = filesFor(t)
    const validate = async (keyFile: string): Promise<{ code: number; err: string }> => {
      const tls = { cert_file: at('n1.pem'), key_file: keyFile, ca_file: at('n1.pem') }
      writeFileSync(at('svcd.json'), JSON.stringify({ server: true, peer_tls: tls }))
      let err = ''
      const code = await run(['validate', at('svcd.json')], {
        out: () => {},
        err: (text) => void (err += text),
        env: {},
        readText: async () => '',
      })
      return { code, err }
    }
    t.strictSame(await validate(at('n1.key')), { code: 0, err: '' })
    t.match(await validate(at('gone.key')), {
      code: 1,
      err: /^Option -peer-key-file: ENOENT: .*\nsvcd: Invalid configuration: 1 error/,
    })
  },
)

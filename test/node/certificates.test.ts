import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { silentLogger } from '../../src/base/log.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { NodeCertificates } from '../../src/node/certificates.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'

const dayMs = 86_400_000
const ca = authority(Date.now() - 400 * dayMs)

/** The files of a server, and what reads them. */
function filesFor(t: Test, own = leaf(ca)) {
  const directory = t.testdir()
  const { cert, key } = writeCredentials(directory, 'own', own)
  const authorities = join(directory, 'ca.pem')
  writeFileSync(authorities, ca.cert)
  const logged: string[] = []
  const note = (_fields: object, message: string): void => void logged.push(message)
  const flags = {
    server: ['true'],
    dataDir: ['/d'],
    'ports.https': ['0'],
    'https.certFile': [cert],
    'https.keyFile': [key],
    'https.caFile': [authorities],
    'https.verifyIncoming': ['true'],
    'peerTls.certFile': [cert],
    'peerTls.keyFile': [key],
    'peerTls.caFile': [authorities],
  }
  const config = parseConfig({ flags, env: {}, files: [], hostName: 'n1' })
  const open = (): NodeCertificates => {
    const logger = { ...silentLogger, warn: note, error: note }
    const certificates = new NodeCertificates(config, logger, { wallMs: () => Date.now() })
    t.teardown(() => certificates.stop())
    return certificates
  }
  return { directory, authorities, logged, open }
}

t.test('a file of authorities counts only if all of it can be read', async (t) => {
  const { authorities, open } = filesFor(t)
  const certificates = open()
  const used: object[] = []
  certificates.users.https = (texts) => void used.push(texts)
  certificates.users.peers = (texts) => void used.push(texts)
  const other = authority().cert
  const lines = other.trim().split('\n')
  const faulty = [
    ['cut off', lines.slice(0, 5).join('\n')],
    ['without its last line', `${lines.slice(0, -1).join('\n')}\n`],
    ['damaged', other.replace(lines[2] ?? '', 'AAAA'.repeat(16))],
  ] as const
  for (const [what, more] of faulty) {
    writeFileSync(authorities, `${ca.cert}${more}`)
    t.match(
      certificates.reload().leftOut,
      [/^Option -https-ca-file: .*certificate 2/, /^Option -peer-ca-file: .*certificate 2/],
      what,
    )
    t.throws(open, { code: 'invalid-option', message: /-ca-file: .*certificate 2/ }, what)
  }
  t.strictSame(used, [], 'the previous files stay in use')
  writeFileSync(authorities, `# two authorities\n${ca.cert}\n${other}`)
  t.strictSame(certificates.reload().leftOut, [])
  t.equal(used.length, 2)
})

t.test('a certificate that is not valid yet, or not any more, replaces none', async (t) => {
  const { directory, open } = filesFor(t)
  const certificates = open()
  const before = certificates.peers?.cert
  const cases = [
    [leaf(ca, { nowMs: Date.now() - 366 * dayMs }), /the certificate expired on /],
    [leaf(ca, { nowMs: Date.now() + dayMs }), /the certificate is not valid before /],
  ] as const
  for (const [credentials, reason] of cases) {
    writeCredentials(directory, 'own', credentials)
    t.match(certificates.reload().leftOut, [reason, reason])
    t.equal(certificates.peers?.cert, before)
  }
  writeCredentials(directory, 'own', leaf(ca))
  t.strictSame(certificates.reload().leftOut, [])
})

t.test('an agent that starts with a certificate that is not valid yet says so', async (t) => {
  const { logged, open } = filesFor(t, leaf(ca, { nowMs: Date.now() + dayMs }))
  open()
  t.match(
    logged.filter((line) => line.includes('not valid')),
    [/^The certificate for https is not valid before \d{4}-/, /for peer is not valid before /],
  )
})

t.test('the first fault in a chain of certificates is found, too', async (t) => {
  const { directory, open } = filesFor(t)
  const certificates = open()
  const path = join(directory, 'own.pem')
  const whole = readFileSync(path, 'utf8')
  appendFileSync(path, ca.cert)
  t.strictSame(certificates.reload().leftOut, [], 'a chain is taken')
  writeFileSync(path, `${whole}${ca.cert.slice(0, 300)}`)
  t.match(certificates.reload().leftOut, [
    /^Option -https-cert-file: /,
    /^Option -peer-cert-file: /,
  ])
})

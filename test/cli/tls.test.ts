import { X509Certificate } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { svcdBin } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'

/** Runs `svcd tls …` in a directory; the output, or what it says when it fails. */
function tls(cwd: string, ...words: readonly string[]): string {
  try {
    return execFileSync(process.execPath, [svcdBin, 'tls', ...words], {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
    })
  } catch (error) {
    return (error as { stderr: string }).stderr
  }
}

t.test(
  'an authority and certificates of each kind are made, and nothing is overwritten',
  async (t) => {
    const cwd = t.testdir()
    t.match(
      tls(cwd, 'cert', 'create', '-server'),
      /certificate authority cannot be used: .*ENOENT.*svcd tls ca create/,
    )
    t.match(tls(cwd, 'ca', 'create'), /Saved svcd-agent-ca.pem\n.*Saved svcd-agent-ca-key.pem/)
    const ca = new X509Certificate(readFileSync(join(cwd, 'svcd-agent-ca.pem')))
    t.match(tls(cwd, 'ca', 'create'), /"svcd-agent-ca.pem" exists, and svcd does not overwrite/)
    t.equal(readFileSync(join(cwd, 'svcd-agent-ca.pem'), 'utf8').trim(), ca.toString().trim())
    const extra = ['-additional-dnsname', 'svcd.example.com', '-additional-ipaddress', '10.0.0.1']
    t.match(
      tls(cwd, 'cert', 'create', '-server', '-node', 'n1', ...extra),
      /dc1-server-svcd-0-key.pem/,
    )
    tls(cwd, 'cert', 'create', '-server', '-days', '7')
    tls(cwd, 'cert', 'create', '-client', '-dc', 'dc2')
    tls(cwd, 'cert', 'create', '-cli')
    const files = readdirSync(cwd)
    t.strictSame(files.toSorted(), [
      'dc1-cli-svcd-0-key.pem',
      'dc1-cli-svcd-0.pem',
      'dc1-server-svcd-0-key.pem',
      'dc1-server-svcd-0.pem',
      'dc1-server-svcd-1-key.pem',
      'dc1-server-svcd-1.pem',
      'dc2-client-svcd-0-key.pem',
      'dc2-client-svcd-0.pem',
      'svcd-agent-ca-key.pem',
      'svcd-agent-ca.pem',
    ])
    for (const file of files.filter((name) => name.includes('key'))) {
      t.equal(statSync(join(cwd, file)).mode & 0o777, 0o600, file)
    }
    const read = (name: string) => new X509Certificate(readFileSync(join(cwd, name)))
    for (const file of files.filter((name) => name.endsWith('0.pem'))) {
      t.ok(read(file).checkIssued(ca) && read(file).verify(ca.publicKey), file)
    }
    const server = read('dc1-server-svcd-0.pem')
    t.equal(
      server.subjectAltName,
      'DNS:server.dc1.consul, DNS:n1.server.dc1.consul, DNS:localhost, DNS:svcd.example.com, IP Address:127.0.0.1, IP Address:10.0.0.1',
    )
    t.notOk(server.ca)
    const days = (certificate: X509Certificate): number =>
      Math.round((Date.parse(certificate.validTo) - Date.now()) / 86_400_000)
    t.equal(days(ca), 1825)
    t.equal(days(server), 365)
    t.equal(days(read('dc1-server-svcd-1.pem')), 7)
    t.match(read('dc2-client-svcd-0.pem').subjectAltName, /DNS:client.dc2.consul/)
  },
)

t.test('openssl finds no fault with them', { skip: missing('openssl') }, async (t) => {
  const cwd = t.testdir()
  tls(cwd, 'ca', 'create', '-name-constraint', '-additional-name-constraint', 'example.com')
  tls(cwd, 'cert', 'create', '-server', '-additional-dnsname', 'a.example.com')
  tls(cwd, 'cert', 'create', '-server', '-additional-dnsname', 'a.example.org')
  const verify = (...words: readonly string[]): string => {
    const args = ['verify', '-x509_strict', '-CAfile', 'svcd-agent-ca.pem', ...words]
    try {
      return execFileSync('openssl', args, { cwd, encoding: 'utf8', stdio: 'pipe' })
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      return stdout + stderr
    }
  }
  for (const purpose of ['sslserver', 'sslclient']) {
    t.match(verify('-purpose', purpose, 'dc1-server-svcd-0.pem'), /OK/)
  }
  t.match(verify('dc1-server-svcd-1.pem'), /permitted subtree violation/)
})

t.test('what cannot be meant is refused by name', async (t) => {
  const cwd = t.testdir({ 'text.pem': 'no key' })
  t.match(
    tls(cwd, 'ca', 'create', '-additional-name-constraint', 'a b'),
    /-additional-name-constraint: "a b" is not a DNS name/,
  )
  tls(cwd, 'ca', 'create')
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /-server: set exactly one of -server, -client and -cli/],
    [['-server', '-cli'], /-cli: set exactly one of/],
    [['-client', '-node', 'n1'], /-node: it is only for -server/],
    [['-server', '-days', '0'], /-days: "0" is not a whole number from 1/],
    [['-server', '-additional-ipaddress', 'x'], /-additional-ipaddress: "x" is not an IP address/],
    [['-server', '-dc', 'a b'], /-dc: /],
    [['-server', '-key', 'text.pem'], /authority cannot be used: /],
  ]
  for (const [words, said] of cases) t.match(tls(cwd, 'cert', 'create', ...words), said)
  tls(cwd, 'cert', 'create', '-server')
  const wrong = ['-ca', 'dc1-server-svcd-0.pem', '-key', 'dc1-server-svcd-0-key.pem']
  t.match(tls(cwd, 'cert', 'create', '-server', ...wrong), /is not that of an authority/)
  t.match(
    tls(cwd, 'cert', 'create', '-cli', '-key', 'dc1-server-svcd-0-key.pem'),
    /does not belong/,
  )
})

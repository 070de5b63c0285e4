import t from 'tap'
import { expiryFinding } from '../../src/base/expiry.ts'
import { silentLogger } from '../../src/base/log.ts'
import { certificateFindings } from '../../src/cli/doctor-certificates.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { NodeCertificates } from '../../src/node/certificates.ts'
import { expiryMetrics } from '../../src/observe/expiry-metrics.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'

const dayMs = 86_400_000
const madeMs = Date.parse('2026-11-28T12:00:00Z')
const expiresMs = madeMs + 100 * dayMs

/** What is said of a certificate that has so many days left. */
const rows = [
  { days: 40, level: 'ok', isUrgent: false, text: /expires in 40 days, on 2027-03-08$/ },
  { days: 30, level: 'ok', isUrgent: false, text: /expires in 30 days/ },
  { days: 29.9, level: 'warning', isUrgent: false, text: /expires in 29 days/ },
  { days: 7, level: 'warning', isUrgent: false, text: /expires in 7 days/ },
  { days: 6.9, level: 'warning', isUrgent: true, text: /expires in 6 days/ },
  { days: 1.5, level: 'warning', isUrgent: true, text: /expires in 1 day,/ },
  { days: 0.5, level: 'warning', isUrgent: true, text: /expires within a day, on 2027-03-08$/ },
  { days: 0, level: 'problem', isUrgent: true, text: /expired on 2027-03-08$/ },
  { days: -3, level: 'problem', isUrgent: true, text: /expired on 2027-03-08$/ },
] as const

t.test('a certificate is a warning for 30 days before its end, and then a problem', async (t) => {
  for (const { days, level, isUrgent, text } of rows) {
    const found = expiryFinding({ use: 'https', expiresMs }, expiresMs - days * dayMs)
    t.match(found, { level, isUrgent, text }, `${days} days`)
    t.match(found.text, /^The certificate for https /)
  }
})

t.test('svcd doctor calls the last week a problem', async (t) => {
  const self = {
    Config: { Datacenter: 'dc1', NodeName: 'n1', NodeID: 'x', Server: true, Version: '1.21.4' },
    DebugConfig: { DNSPort: 8600, DNSDomain: 'consul.' },
    Stats: { certificates: { https: new Date(expiresMs).toISOString() } },
  }
  for (const { days, level, isUrgent } of rows) {
    const [found] = certificateFindings(self, expiresMs - days * dayMs)
    t.equal(found?.level, isUrgent ? 'problem' : level, `${days} days`)
    t.equal(found?.next !== undefined, level !== 'ok', 'with the next step')
  }
})

t.test('the agent logs at its start which certificates expire soon or have expired', async (t) => {
  const directory = t.testdir()
  const ca = authority(madeMs)
  const { cert, key } = writeCredentials(directory, 'n1', leaf(ca, { days: 100, nowMs: madeMs }))
  const flags = {
    server: ['true'],
    dataDir: [directory],
    'ports.https': ['0'],
    'https.certFile': [cert],
    'https.keyFile': [key],
  }
  const config = parseConfig({ flags, env: {}, files: [], hostName: 'n1' })
  for (const [days, expected] of [
    [40, []],
    [20, ['warn The certificate for https expires in 20 days, on 2027-03-08']],
    [-1, ['error The certificate for https expired on 2027-03-08']],
  ] as const) {
    const lines: string[] = []
    const logger = {
      ...silentLogger,
      warn: (_fields: object, text: string) => void lines.push(`warn ${text}`),
      error: (_fields: object, text: string) => void lines.push(`error ${text}`),
    }
    const clock = { wallMs: () => expiresMs - days * dayMs }
    const certificates = new NodeCertificates(config, logger, clock)
    certificates.stop()
    t.strictSame(lines, expected, `${days} days`)
    t.match(certificates.expiries, [{ use: 'https', expiresMs }])
  }
})

t.test('the metric has the seconds that are left of each certificate', async (t) => {
  t.strictSame(expiryMetrics([], madeMs), [], 'not without certificates')
  const peer = { use: 'peer', expiresMs: expiresMs + 500 }
  const at = (nowMs: number) =>
    expiryMetrics([{ use: 'https', expiresMs }, peer], nowMs).map(({ name, samples }) => [
      name,
      samples.map(({ labels, value }) => [labels['use'], value]),
    ])
  const daySeconds = 86_400
  t.strictSame(at(madeMs), [
    [
      'svcd_certificate_expiry_seconds',
      [
        ['https', 100 * daySeconds],
        ['peer', 100 * daySeconds],
      ],
    ],
  ])
  t.strictSame(at(expiresMs + dayMs)[0]?.[1], [
    ['https', -daySeconds],
    ['peer', -daySeconds],
  ])
})

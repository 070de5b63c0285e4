import t from 'tap'
import { tlsOf, tlsText } from '../../src/cli/status-tls.ts'
import type { Self } from '../../src/client/rows.ts'

const nowMs = Date.parse('2026-11-28T12:00:00Z')

function selfWith(httpsPort: number | undefined, stats: Self['Stats']): Self {
  const debug = { DNSPort: 8600, DNSDomain: 'consul.' }
  return {
    Config: { Datacenter: 'dc1', NodeName: 'n1', NodeID: 'x', Server: true, Version: '1.21.4' },
    DebugConfig: httpsPort === undefined ? debug : { ...debug, HTTPSPort: httpsPort },
    Stats: stats,
  }
}

t.test('status says what is encrypted, and when the first certificate expires', async (t) => {
  const textOf = (self: Self, terminal?: { columns: number; hasColour: boolean }): string =>
    tlsText(tlsOf(self, nowMs), { terminal }, nowMs)
  t.equal(textOf(selfWith(undefined, {})), 'HTTPS off, between servers off')
  t.equal(textOf(selfWith(-1, {})), 'HTTPS off, between servers off')
  const certificates = {
    https: '2027-01-20T00:00:00Z',
    peer: '2027-01-10T12:00:00Z',
    'peer-ca': '2036-01-01T00:00:00Z',
  }
  const self = selfWith(8501, { certificates, peer_tls: { mode: 'strict' } })
  t.equal(
    textOf(self),
    'HTTPS on, between servers on. The certificate for peer expires in 43 days, on 2027-01-10',
  )
  t.strictSame(tlsOf(self, nowMs), {
    https: 'on',
    servers: 'strict',
    firstExpiry: { use: 'peer', date: '2027-01-10T12:00:00Z', days: 43 },
  })
  const soon = selfWith(0, {
    certificates: { https: '2026-11-30T12:00:00Z' },
    peer_tls: { mode: 'permissive' },
  })
  t.equal(
    textOf(soon),
    'HTTPS on, between servers permissive (plain connections are accepted). The certificate for https expires in 2 days, on 2026-11-30',
  )
  const red = '\u001b[31mThe certificate for https expires in 2 days'
  t.match(textOf(soon, { columns: 80, hasColour: true }), red)
  const over = selfWith(8501, { certificates: { https: '2026-11-27T12:00:00Z' } })
  t.match(textOf(over), /The certificate for https expired on 2026-11-27$/)
  t.match(tlsOf(over, nowMs), { firstExpiry: { days: -1 } })
})

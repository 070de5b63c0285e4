import t from 'tap'
import { ask } from '../../src/net/dns-client.ts'

t.test('an address to which this machine has no route is an error that names it', async (t) => {
  // The system refuses to connect a socket to the broadcast address.
  const server = { address: '255.255.255.255', port: 53 }
  await t.rejects(ask(server, 'web.service.consul', 'A'), {
    code: 'dns-unreachable',
    message: /^No DNS server answers at 255\.255\.255\.255:53 \(connect E(?:ACCES|NETUNREACH)/,
  })
})

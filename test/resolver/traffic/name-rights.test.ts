import t from 'tap'
import { defaultZone } from '../../../src/dns/zone.ts'
import { nameRights } from '../../../src/resolver/traffic/name-rights.ts'

const zone = { ...defaultZone(['consul'], 'dc1'), altDomain: ['old', 'example'] }

const cases: readonly (readonly [name: string, rights: readonly object[]])[] = [
  ['web.service.consul.', [{ resource: 'service', name: 'web' }]],
  ['v1.web.service.dc1.consul.', [{ resource: 'service', name: 'web' }]],
  ['_web._tcp.service.old.example.', [{ resource: 'service', name: 'web' }]],
  ['n1.node.consul.', [{ resource: 'node', name: 'n1' }]],
  // Which nodes have the address is not looked up.
  ['7f000001.addr.dc1.consul.', [{ resource: 'node' }]],
  ['1.0.0.127.in-addr.arpa.', [{ resource: 'node' }]],
  // A template may answer for any name.
  ['geo.query.consul.', [{ resource: 'query' }]],
  ['leader.cron.lock.consul.', [{ resource: 'key' }]],
  ['something.consul.', [{ resource: 'service' }, { resource: 'node' }]],
  ['_web.consul.', [{ resource: 'service' }, { resource: 'node' }]],
  ['consul.', []],
  ['ns.consul.', []],
  ['www.example.org.', []],
]

for (const [name, rights] of cases) {
  t.test(`${name} needs the rights to what it names`, async (t) => {
    t.strictSame(nameRights(name, zone), rights)
  })
}

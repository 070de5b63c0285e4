import t from 'tap'
import { isServed } from '../../src/dns/answer.ts'
import { readName } from '../../src/dns/name.ts'
import { staticZones } from '../../src/dns/static-zone.ts'
import type { StaticZone } from '../../src/dns/static-zone.ts'
import { TopLabels } from '../../src/dns/top-labels.ts'
import { defaultZone } from '../../src/dns/zone.ts'
import { must } from '../../src/base/assert.ts'
import { buildQuery } from './fixture.ts'

function staticAt(...origin: string[]): StaticZone {
  return { origin } as unknown as StaticZone
}

t.test('a name that is served has a last label that may be served', async (t) => {
  const consul = defaultZone(['consul'], 'dc1')
  const zones = {
    plain: consul,
    alt: { ...consul, altDomain: ['svc', 'Corp'] },
    deep: defaultZone(['a', 'Internal'], 'dc1'),
    files: { ...consul, staticZones: staticZones([staticAt('example', 'com'), staticAt('lan')]) },
    root: { ...consul, staticZones: staticZones([staticAt()]) },
  }
  const names = ['consul', 'web.service.CONSUL', 'x.svc.corp', 'corp', 'a.internal', 'internal']
  names.push('example.com', 'www.Example.COM', 'com', 'printer.LAN', 'lan', 'plan', 'la', 'lann')
  names.push('1.0.0.10.in-addr.arpa', 'arpa', '.', 'org', 'consul.org', 'consu', 'consull')
  let [outside, skipped] = [0, 0]
  for (const [title, zone] of Object.entries(zones)) {
    const labels = new TopLabels(zone)
    for (const name of names) {
      const packet = buildQuery(name, 'A')
      const served = isServed(must(readName(packet, 12, packet.length)).name, zone)
      const may = labels.mayServe(packet, 12)
      t.ok(may || !served, `${title}: ${name}`)
      if (!served) outside++
      if (!may) skipped++
    }
  }
  t.ok(skipped > outside / 2, `${skipped} of ${outside} names are told by their last label`)
})

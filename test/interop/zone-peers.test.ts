import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { staticZones } from '../../src/dns/static-zone.ts'
import { parseZoneFile } from '../../src/dns/zone-file/zone-file.ts'
import { ask, decodeReply } from '../../src/net/dns-client.ts'
import type { DnsReply } from '../../src/net/dns-client.ts'
import { Bench, buildQuery, recordText } from '../dns/fixture.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// The same zone file on svcd and on NSD and Knot DNS, the same questions to each.

const golden = new URL('../dns/golden/zones/', import.meta.url)
/** A golden file without its first five lines, which all of them share. */
function body(file: string): string {
  const lines = readFileSync(new URL(file, golden), 'latin1').split('\n')
  return lines.slice(5).join('\n')
}

const zoneText = `$ORIGIN example.org.
$TTL 3600
@ SOA ns hostmaster 2025010101 3600 900 1209600 300
@ NS ns
@ NS ns.example.net.
ns A 192.0.2.53
@ MX 10 mail
@ MX 20 cut.sub
@ TXT "v=spf1 -all"
mail 60 A 192.0.2.25
mail 60 AAAA 2001:db8::25
www CNAME mail
www2 CNAME www
loop1 CNAME loop2
loop2 CNAME loop1
dangling CNAME nowhere
out CNAME www.example.net.
into CNAME host.sub
tosub CNAME x.wild
_sip._tcp SRV 10 60 5060 mail
_sip._tcp SRV 10 60 5060 nowhere
deep.empty.below A 192.0.2.1
*.wild A 192.0.2.80
*.wild MX 10 mail
exists.wild TXT "here"
a.branch.wild TXT "here"
*.alias CNAME mail
sub NS ns1.sub
sub NS ns.example.net.
ns1.sub A 192.0.2.10
ns1.sub AAAA 2001:db8::10
cut.sub A 192.0.2.11
signed NS ns.example.net.
signed DS 12345 8 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
old DNAME new
x.new A 192.0.2.90
y.new CNAME mail
self DNAME self.below
long DNAME ${'l'.repeat(63)}.${'m'.repeat(63)}.${'n'.repeat(63)}.org.
* TXT "anything else"
${body('types-svcb.zone')
  .replaceAll(/^@/gm, 'svcb')
  .replaceAll(/^([a-e]) /gm, 'svcb$1 ')}
${body('types-common.zone').replaceAll(/^@/gm, 'caa')}
${body('unknown-type.zone').replaceAll(/^(\w) /gm, 'unknown$1 ')}
${body('txt-forms.zone').replaceAll(/^(\w) /gm, 'txt$1 ')}
`

const askedNames = `@ ns mail MAIL www www2 loop1 dangling out into tosub _sip._tcp _tcp below empty.below
  deep.empty.below x.deep.empty.below wild x.wild x.y.wild exists.wild x.exists.wild branch.wild
  x.branch.wild a.branch.wild *.wild x.alias x.y.alias alias sub x.sub ns1.sub host.sub cut.sub signed
  x.signed old x.old y.old z.old a.b.old new self x.self long x.long ${'k'.repeat(60)}.x.long anything any.thing
  svcb svcba svcbb svcbc svcbd svcbe caa n h s _443._tcp l l2 r af u ptr e48 e64 kx cert ok sp
  unknowna unknownb unknownc unknownd txta txtb txtc txtd`
const askedTypes = `A AAAA NS SOA MX TXT CNAME SRV DS DNAME PTR CAA NAPTR HINFO SSHFP TLSA LOC RP AFSDB URI
  EUI48 EUI64 KX CERT OPENPGPKEY SPF SVCB HTTPS TYPE65280 TYPE65281`
const rareTypes = new Set(askedTypes.split(/\s+/).slice(11))
const holdsRare = new Set(askedNames.split(/\s+/).slice(askedNames.split(/\s+/).indexOf('svcb')))

const questions = askedNames.split(/\s+/).flatMap((label) => {
  const name = label === '@' ? 'example.org' : `${label}.example.org`
  const types = askedTypes.split(/\s+/)
  // Every name is asked for the types that matter, and those with rare data for all of them.
  return types
    .filter((type) => holdsRare.has(label) || !rareTypes.has(type))
    .map((type) => ({ name, type }))
})

/** What two servers must agree about; the order and what is sent in addition is theirs. */
function essence(reply: DnsReply): string {
  const lines = (title: string, records: DnsReply['answer']): readonly string[] =>
    records.map((record) => `${title} ${recordText(record)}`).toSorted()
  const isReferral = reply.answer.length === 0 && reply.rcode === 'NOERROR'
  // Beside an answer the servers of the zone may be named.
  const authority = reply.authority.filter(({ type }) => isReferral || type === 'SOA')
  const isDelegation = isReferral && !reply.flags.includes('aa')
  return [
    `${reply.rcode} ${reply.flags.filter((flag) => flag === 'aa' || flag === 'tc').join(' ')}`,
    ...lines('answer', reply.answer),
    ...lines('authority', authority),
    ...(isDelegation ? lines('glue', reply.additional) : []),
  ].join('\n')
}

interface Server {
  readonly program: string
  readonly args: (directory: string) => readonly string[]
  readonly config: (directory: string, port: number) => string
}

const servers: readonly Server[] = [
  {
    program: 'nsd',
    args: (directory) => ['-d', '-c', join(directory, 'conf')],
    config: (directory, port) => `server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  database: ""
  zonesdir: "${directory}"
  pidfile: "${directory}/pid"
  logfile: "${directory}/log"
  xfrdfile: "${directory}/xfrd"
  xfrdir: "${directory}"
  zonelistfile: "${directory}/list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: example.org
  zonefile: example.org.zone
`,
  },
  {
    program: 'knotd',
    args: (directory) => ['-c', join(directory, 'conf')],
    config: (directory, port) => `server:
  rundir: "${directory}"
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "${directory}"
log:
  - target: "${directory}/log"
    any: warning
zone:
  - domain: example.org
    storage: "${directory}"
    file: example.org.zone
    semantic-checks: off
`,
  },
]

async function startServer(t: Test, server: Server): Promise<number> {
  const directory = t.testdir({})
  chmodSync(directory, 0o777)
  const [port] = await freePorts(1)
  writeFileSync(join(directory, 'example.org.zone'), zoneText, 'latin1')
  writeFileSync(join(directory, 'conf'), server.config(directory, must(port)))
  const child = spawn(server.program, server.args(directory), { stdio: 'ignore' })
  t.teardown(async () => {
    const ended = new Promise((resolve) => {
      child.once('exit', resolve)
    })
    child.kill('SIGKILL')
    await ended
  })
  const address = { address: '127.0.0.1', port: must(port) }
  await until(`${server.program} answers`, 20_000, async () => {
    const reply = await ask(address, 'example.org', 'SOA', { timeoutMs: 200 }).catch(
      () => undefined,
    )
    return reply?.rcode === 'NOERROR'
  })
  return must(port)
}

for (const server of servers) {
  const { program } = server
  t.test(`${program} gives the same answers`, { skip: missing(program) }, async (t) => {
    const result = parseZoneFile(zoneText, { file: 'example.org.zone' })
    if ('faults' in result) throw new Error(result.faults.join('\n'))
    const bench = new Bench()
    bench.zone = { ...bench.zone, staticZones: staticZones([result.zone]) }
    const port = await startServer(t, server)
    let differences = 0
    for (const { name, type } of questions) {
      const theirs = essence(await ask({ address: '127.0.0.1', port }, name, type))
      const options = { edns: 1232, tcp: true }
      const ours = essence(decodeReply(must(bench.send(buildQuery(name, type, options), options))))
      if (ours === theirs) continue
      differences++
      t.equal(ours, theirs, `${name} ${type}`)
    }
    t.equal(differences, 0, `of ${questions.length} questions`)
  })
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { startKnot, startUnboundForwarder } from '../bench/name-servers.ts'
import { missing } from '../helpers/tools.ts'
import { startRecursion } from '../resolver/recursion/rig.ts'

// svcd in front of real servers: what dig and kdig get through svcd is what they get from the server itself.

const run = promisify(execFile)
const domain = 'outside.example'
const long = 'x'.repeat(250)
const zone = `$ORIGIN ${domain}.
$TTL 3600
@ SOA ns root 1 3600 600 86400 60
@ NS ns
@ MX 10 mail
ns A 127.0.0.1
mail 300 A 192.0.2.25
mail 300 AAAA 2001:db8::25
www CNAME mail
far CNAME www
_sip._tcp SRV 10 60 5060 mail
text TXT "one" "two"
large TXT "${long}" "${long}" "${long}" "${long}" "${long}" "${long}"
odd TYPE1000 \\# 4 01020304
*.wild A 192.0.2.80
`

const questions = [
  ['www', 'A'],
  ['far', 'AAAA'],
  ['@', 'MX'],
  ['@', 'SOA'],
  ['_sip._tcp', 'SRV'],
  ['text', 'TXT'],
  ['large', 'TXT'],
  ['odd', 'TYPE1000'],
  ['a.wild', 'A'],
  ['mail', 'TXT'],
  ['nowhere', 'A'],
] as const

/** The status and the records of each section but the additional one, without TTLs. */
async function asked(program: string, port: number, name: string, type: string): Promise<string> {
  const full = name === '@' ? domain : `${name}.${domain}`
  const words = ['@127.0.0.1', '-p', String(port), full, type, '+noadditional', '+nostats']
  const { stdout } = await run(program, [...words, '+noquestion', '+nocookie'])
  const status = /status: (\w+)/.exec(stdout)?.[1] ?? ''
  const records = stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(';'))
    .map((line) => line.replace(/\s+\d+\s+IN\s+/, ' ').replaceAll(/\s+/g, ' '))
  return [status, ...records.toSorted()].join('\n')
}

t.test(
  'through svcd, Knot DNS looks as it does itself',
  { skip: missing('knotd', 'dig', 'kdig') },
  async (t) => {
    const knot = must(await startKnot(zone, domain))
    t.teardown(() => knot.stop())
    const { port, dns } = await startRecursion(t, [`127.0.0.1:${knot.dnsPort}`], {
      timeoutMs: 20_000,
    })
    for (const program of ['dig', 'kdig', 'dig']) {
      for (const [name, type] of questions) {
        const [own, through] = await Promise.all([
          asked(program, knot.dnsPort, name, type),
          asked(program, port, name, type),
        ])
        t.equal(through, own, `${program} ${name} ${type}`)
      }
    }
    t.match(dns.figures.recursion, { failed: 0, queries: Number })
  },
)

t.test(
  'through svcd, Unbound looks as it does itself',
  { skip: missing('knotd', 'unbound', 'dig') },
  async (t) => {
    const knot = must(await startKnot(zone, domain))
    t.teardown(() => knot.stop())
    const unbound = must(await startUnboundForwarder(domain, knot.dnsPort))
    t.teardown(() => unbound.stop())
    const { port } = await startRecursion(t, [`127.0.0.1:${unbound.dnsPort}`], {
      timeoutMs: 20_000,
    })
    for (const [name, type] of questions) {
      const own = await asked('dig', unbound.dnsPort, name, type)
      t.equal(await asked('dig', port, name, type), own, `${name} ${type}`)
    }
  },
)

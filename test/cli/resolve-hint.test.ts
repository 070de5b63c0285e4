import t from 'tap'
import { fullName } from '../../src/cli/full-name.ts'
import { inWords, kindOf, resolveHint } from '../../src/cli/resolve-hint.ts'
import type { DnsReply } from '../../src/net/dns-client.ts'

// What `svcd resolve` says about a name without an answer: only what is true of it, and helps.

function reply(name: string, type: string, rcode: string, isFound = false): DnsReply {
  const record = { name, type, ttl: 0, data: 'x' }
  return {
    id: 1,
    rcode,
    flags: ['qr', 'aa'],
    question: { name, type },
    answer: isFound ? [record] : [],
    authority: [],
    additional: [],
    udpBytes: 1232,
    extendedErrors: [],
    bytes: 40,
    transport: 'udp',
  }
}

interface Case {
  /** As it was typed. */
  readonly text: string
  readonly rcode: string
  /** The types that were asked for; default A. */
  readonly asked?: readonly string[]
  /** The types that the name has. */
  readonly has?: readonly string[]
  /** Asking for another type fails. */
  readonly isGone?: boolean
  readonly hint: string | RegExp
}

const why = (service: string, tag = ''): string =>
  ` The service is not registered, or no instance${tag} is healthy: \`svcd services ${service}\` shows its instances.`

const cases: Readonly<Record<string, Case>> = {
  'a name of another domain: nothing is said of services': {
    text: 'google.com.',
    rcode: 'REFUSED',
    hint: ' This server only answers for consul and its zones. Query another server for other names.',
  },
  'a name of a zone': { text: 'x.example.', rcode: 'NXDOMAIN', hint: '' },
  'a server in trouble': {
    text: 'web',
    rcode: 'SERVFAIL',
    hint: / Run `svcd doctor` to find the reason\.$/,
  },
  'a type that a healthy service does not have': {
    text: 'web',
    rcode: 'NOERROR',
    asked: ['MX'],
    has: ['A', 'SRV'],
    hint: ' The name exists, but only with A and SRV records.',
  },
  'what was asked already is not asked for again': {
    text: 'web',
    rcode: 'NOERROR',
    asked: ['A', 'AAAA'],
    has: ['SRV'],
    hint: ' The name exists, but only with SRV records.',
  },
  'a name between others': {
    text: 'service.consul.',
    rcode: 'NOERROR',
    hint: ' The name exists, but has no records of its own.',
  },
  'a server that is gone in the meantime': {
    text: 'web',
    rcode: 'NOERROR',
    isGone: true,
    hint: ' The name exists, but has no records of its own.',
  },
  'a service': { text: 'web', rcode: 'NXDOMAIN', hint: why('web') },
  'a service in capitals, in a datacenter': {
    text: 'WEB.service.dc1',
    rcode: 'NXDOMAIN',
    hint: why('WEB'),
  },
  'a service as SRV records name it': {
    text: '_web._tcp',
    rcode: 'NXDOMAIN',
    hint: why('web'),
  },
  'a tag of a service, in full': {
    text: 'v1.web.service.consul.',
    rcode: 'NXDOMAIN',
    hint: why('web', ' with the tag "v1"'),
  },
  'a name that was completed: how to ask for that name itself': {
    text: 'google.com',
    rcode: 'NXDOMAIN',
    hint: ` svcd read "google.com" as the tag "google" of the service "com". To query the name itself, write "google.com." with a dot at the end.${why('com', ' with the tag "google"')}`,
  },
  'a node': {
    text: 'n1.node',
    rcode: 'NXDOMAIN',
    hint: ' `svcd nodes` lists all nodes.',
  },
  'a prepared query': {
    text: 'x.query.consul.',
    rcode: 'NXDOMAIN',
    hint: ' There is no such prepared query, or no instance matches it: `svcd query execute x` tells which.',
  },
  'an address': {
    text: '1.0.0.10.in-addr.arpa.',
    rcode: 'NXDOMAIN',
    hint: ' No node and no service has this address.',
  },
  'an answer that tells nothing': {
    text: 'web',
    rcode: 'NOTIMP',
    hint: '',
  },
}

t.test('a name without an answer gets the hint that fits it, and no other', async (t) => {
  for (const [what, { text, rcode, asked = ['A'], has = [], isGone, hint }] of Object.entries(
    cases,
  )) {
    const { name } = fullName(text, 'consul')
    const askedLater: string[] = []
    const said = await resolveHint({
      text,
      name,
      domain: 'consul',
      replies: asked.map((type) => reply(name, type, rcode)),
      ask: async (type) => {
        askedLater.push(type)
        if (isGone === true) throw new Error('gone')
        return reply(name, type, rcode, has.includes(type))
      },
    })
    if (typeof hint === 'string') t.equal(said, hint, what)
    else t.match(said, hint, what)
    t.notOk(
      askedLater.some((type) => asked.includes(type)),
      what,
    )
  }
})

t.test('NODATA is told from NXDOMAIN, and types are listed as words', async (t) => {
  t.equal(kindOf(reply('x.', 'A', 'NOERROR')), 'NODATA')
  t.equal(kindOf(reply('x.', 'A', 'NXDOMAIN')), 'NXDOMAIN')
  t.equal(inWords(['A'], 'or'), 'A')
  t.equal(inWords(['A', 'AAAA', 'SRV'], 'or'), 'A, AAAA or SRV')
})

// What a machine's resolver makes of the registry's names: pure, from what was seen.

export type Level = 'ok' | 'warning' | 'problem'

/** One thing that was looked at. */
export interface Finding {
  /** agent, leader, clock, ports, data, dns or resolver. */
  readonly about: string
  readonly level: Level
  readonly text: string
  /** What to do; undefined when there is nothing. */
  readonly next?: string | undefined
}

export interface ResolvConf {
  /** In order; of more than three the C library uses the first three (resolv.conf(5)). */
  readonly nameservers: readonly string[]
}

export function parseResolvConf(text: string): ResolvConf {
  const nameservers = text.split('\n').flatMap((line) => {
    const [, address] = /^\s*nameserver\s+(\S+)/.exec(line) ?? []
    return address === undefined ? [] : [address]
  })
  // Without one the C library asks this machine.
  return { nameservers: nameservers.length === 0 ? ['127.0.0.1'] : nameservers }
}

/** What a nameserver made of the question: knows it, denies it, refuses, or does not answer. */
export type Verdict = 'knows' | 'denies' | 'refuses' | 'fails' | 'silent'

/** From a nameserver's answers to the questions for A and AAAA records of one name. */
export function verdictFrom(
  replies: readonly { readonly rcode: string; readonly answer: readonly unknown[] }[],
): Verdict {
  if (replies.some(({ answer }) => answer.length > 0)) return 'knows'
  const rcode = replies[0]?.rcode
  if (rcode === 'REFUSED') return 'refuses'
  return rcode === 'NXDOMAIN' || rcode === 'NOERROR' ? 'denies' : 'fails'
}

export interface ResolverFacts {
  /** The file that was read. */
  readonly path: string
  readonly nameservers: readonly { readonly address: string; readonly verdict: Verdict }[]
  /** The line `hosts:` of nsswitch.conf, without the word; undefined: there is none. */
  readonly hosts: string | undefined
  /** The name that was asked for. */
  readonly name: string
  readonly domain: string
  /** What svcd itself answers; empty when it could not be asked. */
  readonly expected: readonly string[]
  /** What the system's own look-up gave; undefined: it found nothing. */
  readonly found: readonly string[] | undefined
  /** Where svcd answers DNS. */
  readonly dns: { readonly address: string; readonly port: number }
}

const about = 'resolver'
const usedMax = 3

/** Whether programs on this machine find the registry's names, and what to do when they do not. */
export function resolverFindings(facts: ResolverFacts): readonly Finding[] {
  const { found, expected, name } = facts
  if (found === undefined) return [{ about, level: 'problem', ...whyNotFound(facts) }]
  if (expected.length > 0 && !found.some((address) => expected.includes(address))) {
    const text = `The system resolves ${name} to ${found.join(', ')}, but svcd answers ${expected.join(', ')}`
    const next = `Another source answers for ${facts.domain}. Check /etc/hosts and the nameservers in ${facts.path}, or choose another domain for svcd with -domain.`
    return [{ about, level: 'problem', text, next }]
  }
  const ok = { about, level: 'ok', text: `The system resolves ${name} to ${found.join(', ')}` } as const
  return [ok, ...slowFindings(facts)]
}

/** Nameservers that are asked first and do not answer cost every look-up their time-out. */
function slowFindings({ nameservers, path }: ResolverFacts): readonly Finding[] {
  const [first] = nameservers
  if (first?.verdict !== 'silent' || nameservers.length < 2) return []
  const text = `The first nameserver in ${path}, ${first.address}, does not answer, so every lookup waits for its timeout`
  const next = `Remove it, or move it to the end. "options timeout:1" in ${path} shortens the wait.`
  return [{ about, level: 'warning', text, next }]
}

type Reason = Pick<Finding, 'text' | 'next'>

function whyNotFound(facts: ResolverFacts): Reason {
  const { nameservers, hosts, name, path } = facts
  if (hosts !== undefined && !/\b(?:dns|resolve)\b/.test(hosts)) {
    const text = `The system does not use DNS: the line "hosts:" in /etc/nsswitch.conf is "${hosts}"`
    return { text, next: 'Add "dns" to that line.' }
  }
  const at = nameservers.findIndex(({ verdict }) => verdict === 'knows')
  const knower = nameservers[at]
  if (knower === undefined) return nobodyKnows(facts)
  if (at >= usedMax) {
    const text = `${knower.address} answers for ${name}, but it is nameserver ${at + 1} in ${path}, and the system uses only the first ${usedMax}`
    return { text, next: `Move "nameserver ${knower.address}" to the top of ${path}.` }
  }
  // A server that refuses or fails is passed over; an answer, also "no such name", is final.
  const denier = nameservers.slice(0, at).find(({ verdict }) => verdict === 'denies')
  if (denier !== undefined) {
    const text = `${knower.address} answers for ${name}, but ${denier.address} comes before it in ${path} and answers that the name does not exist, which is final`
    return { text, next: `Put "nameserver ${knower.address}" first in ${path}.` }
  }
  const text = `${knower.address} answers for ${name}, but the system does not resolve it`
  return { text, next: `Check whether another program resolves names on this machine: getent hosts ${name}` }
}

function nobodyKnows(facts: ResolverFacts): Reason {
  const { nameservers, domain, path } = facts
  const said = nameservers.map(({ address, verdict }) => `${address} ${words[verdict]}`).join(', ')
  const text = `No nameserver in ${path} answers for ${domain}: ${said}`
  return { text, next: forwardingAdvice(facts) }
}

const words: Readonly<Record<Verdict, string>> = {
  knows: 'answers',
  denies: 'answers that the name does not exist',
  refuses: 'refuses the query',
  fails: 'answers with an error',
  silent: 'does not answer',
}

/** How to bring the domain to svcd, by what resolves names here. */
function forwardingAdvice({ nameservers, domain, dns }: ResolverFacts): string {
  const [first] = nameservers
  const at = dns.address.includes(':')
    ? `[${dns.address}]:${dns.port}`
    : `${dns.address}:${dns.port}`
  if (first?.address === '127.0.0.53' || first?.address === '127.0.0.54') {
    return `Let systemd-resolved forward ${domain} to svcd: write the lines "[Resolve]", "DNS=${at}", "Domains=~${domain}" and "DNSSEC=false" to /etc/systemd/resolved.conf.d/svcd.conf, then run: systemctl restart systemd-resolved`
  }
  if (first !== undefined && /^(?:127\.|::1$)/.test(first.address)) {
    return `Let the resolver at ${first.address} forward ${domain} to ${at}. With dnsmasq, write the line "server=/${domain}/${dns.address}#${dns.port}" to /etc/dnsmasq.d/svcd.conf.`
  }
  return `Run the agent with -dns-port 53 and put "nameserver ${dns.address}" first in /etc/resolv.conf, or run a resolver on this machine that forwards ${domain} to ${at}. /etc/resolv.conf cannot contain a port.`
}

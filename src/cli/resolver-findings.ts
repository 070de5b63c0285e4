// How this machine resolves names of the registry: pure functions of what was observed.

export type Level = 'ok' | 'warning' | 'problem'

/** The result of one examination. */
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
  // Without one the C library queries this machine.
  return { nameservers: nameservers.length === 0 ? ['127.0.0.1'] : nameservers }
}

/** How a nameserver answered: with the name, that it does not exist, with a refusal or error, or not at all. */
export type Verdict = 'knows' | 'denies' | 'refuses' | 'fails' | 'silent'

/** From a nameserver's answers to the A and AAAA queries for one name. */
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
  /** The name that was queried. */
  readonly name: string
  readonly domain: string
  /** What svcd itself answers; empty if it did not answer. */
  readonly expected: readonly string[]
  /** What the system resolved the name to; undefined: nothing. */
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
  const ok = {
    about,
    level: 'ok',
    text: `The system resolves ${name} to ${found.join(', ')}`,
  } as const
  return [ok, ...slowFindings(facts)]
}

/** A first nameserver that does not answer delays every lookup by its timeout. */
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
  // After a server that refuses or fails, the next one is queried; an answer, even NXDOMAIN, is final.
  const denier = nameservers.slice(0, at).find(({ verdict }) => verdict === 'denies')
  if (denier !== undefined) {
    const text = `${knower.address} answers for ${name}, but ${denier.address} comes before it in ${path} and answers that the name does not exist, which is final`
    return { text, next: `Put "nameserver ${knower.address}" first in ${path}.` }
  }
  const text = `${knower.address} answers for ${name}, but the system does not resolve it`
  return {
    text,
    next: `Check whether another program resolves names on this machine: getent hosts ${name}`,
  }
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

/** How to forward the domain to svcd, depending on the resolver of this machine. */
function forwardingAdvice({ nameservers, domain, dns }: ResolverFacts): string {
  const [first] = nameservers
  const at = dns.address.includes(':')
    ? `[${dns.address}]:${dns.port}`
    : `${dns.address}:${dns.port}`
  if (first?.address === '127.0.0.53' || first?.address === '127.0.0.54') {
    return `Let systemd-resolved forward ${domain} to svcd: write the lines "[Resolve]", "DNS=${at}", "Domains=~${domain}" and "DNSSEC=false" to /etc/systemd/resolved.conf.d/svcd.conf, then run: systemctl restart systemd-resolved`
  }
  if (first !== undefined && /^(?:127\.|::1$)/.test(first.address)) {
    return `Let the resolver at ${first.address} forward ${domain} to ${at}. With dnsmasq, write the line "server=/${domain}/${dns.address}#${dns.port}" to /etc/dnsmasq.d/svcd.conf. For another resolver, or if it forwards ${domain} already, see docs/dns-forwarding.md.`
  }
  return `Run the agent with -dns-port 53 and put "nameserver ${dns.address}" first in /etc/resolv.conf, or run a resolver on this machine that forwards ${domain} to ${at}. /etc/resolv.conf cannot contain a port.`
}

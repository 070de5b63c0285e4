import type { DnsReply } from '../net/dns-client.ts'

export interface Unresolved {
  /** As it was typed. */
  readonly text: string
  /** As it was queried. */
  readonly name: string
  readonly domain: string
  /** None of them has an answer. */
  readonly replies: readonly DnsReply[]
  /** Queries another type of the same name. */
  readonly ask: (type: string) => Promise<DnsReply>
}

/** `NODATA` for a name that exists without records of the type (RFC 2308 §2.2), else the rcode. */
export function kindOf({ rcode, answer }: DnsReply): string {
  return rcode === 'NOERROR' && answer.length === 0 ? 'NODATA' : rcode
}

/** What to do about a name without an answer, with a space in front; '' if nothing is known. */
export async function resolveHint(unresolved: Unresolved): Promise<string> {
  const { replies, domain } = unresolved
  const [first] = replies
  switch (first === undefined ? '' : kindOf(first)) {
    case 'REFUSED':
      return ` This server only answers for ${domain} and its zones. Query another server for other names.`
    case 'SERVFAIL':
      return ' The server cannot answer now. Run `svcd doctor` to find the reason.'
    case 'NODATA':
      return noDataHint(unresolved)
    case 'NXDOMAIN':
      return noNameHint(unresolved)
    default:
      return ''
  }
}

const commonTypes = ['A', 'AAAA', 'SRV', 'TXT', 'PTR', 'CNAME']

async function noDataHint({ replies, ask }: Unresolved): Promise<string> {
  const asked = new Set(replies.map(({ question }) => question.type))
  const others = commonTypes.filter((type) => !asked.has(type))
  const found = await Promise.all(
    // A query that fails proves nothing; the server answered for the name a moment ago.
    others.map((type) => ask(type).then(hasAnswer, () => false)),
  )
  const there = others.filter((_, at) => found[at])
  if (there.length === 0) return ' The name exists, but has no records of its own.'
  return ` The name exists, but only with ${inWords(there, 'and')} records.`
}

function hasAnswer({ answer }: DnsReply): boolean {
  return answer.length > 0
}

function noNameHint({ text, name, domain }: Unresolved): string {
  const lower = name.toLowerCase()
  if (/\.(?:in-addr|ip6)\.arpa$/.test(lower)) return ' No node and no service has this address.'
  if (!`.${lower}`.endsWith(`.${domain.toLowerCase().replace(/\.$/, '')}`)) return ''
  const labels = lower.split('.')
  const [, query] = /^(.+)\.query\./.exec(lower) ?? []
  if (query !== undefined) {
    return ` There is no such prepared query, or no instance matches it: \`svcd query execute ${query}\` tells which.`
  }
  if (labels.includes('node')) return ' `svcd nodes` lists all nodes.'
  const [, tags, service] = /^(?:(.+?)\.)??_?([^.]+)(?:\._[^.]+)?\.service\./i.exec(name) ?? []
  if (service === undefined) return ''
  return serviceHint(text, name, service, tags)
}

function serviceHint(text: string, name: string, service: string, tag: string | undefined): string {
  const wanted = tag === undefined ? '' : ` with the tag "${tag}"`
  const why = ` The service is not registered, or no instance${wanted} is healthy: \`svcd services ${service}\` shows its instances.`
  const wasCompleted = name.toLowerCase().startsWith(`${text.toLowerCase()}.service.`)
  if (!wasCompleted || tag === undefined || text.startsWith('_')) return why
  return ` svcd read "${text}" as the tag "${tag}" of the service "${service}". To query the name itself, write "${text}." with a dot at the end.${why}`
}

/** `A, AAAA or SRV`. */
export function inWords(words: readonly string[], last: 'and' | 'or'): string {
  const before = words.slice(0, -1).join(', ')
  return before === '' ? (words[0] ?? '') : `${before} ${last} ${words.at(-1) ?? ''}`
}

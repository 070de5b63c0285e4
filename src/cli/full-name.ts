import { parseIp } from '../base/ip.ts'

export interface FullName {
  readonly name: string
  /** The record types to query if the user named none. */
  readonly types: readonly string[]
}

// The labels for the kinds of names in the registry.
const kinds = ['service', 'node', 'query', 'addr']

/**
 * Completes what the user typed to the name for the DNS query: `web` is web.service.DOMAIN,
 * `n1.node` is n1.node.DOMAIN, an address is its reverse name. A name that ends in a dot or in the
 * domain is complete.
 */
export function fullName(text: string, domain: string): FullName {
  const ip = parseIp(text)
  if (ip !== undefined) return { name: reverseName(ip), types: ['PTR'] }
  const name = text.replace(/\.$/, '')
  const labels = name.toLowerCase().split('.')
  const isComplete = text.endsWith('.') || `.${name.toLowerCase()}`.endsWith(`.${domain}`)
  const isService = !isComplete && !labels.some((label) => kinds.includes(label))
  const full = isComplete ? name : `${name}${isService ? '.service' : ''}.${domain}`
  return { name: full, types: typesFor(full.toLowerCase().split('.'), domain) }
}

function typesFor(labels: readonly string[], domain: string): readonly string[] {
  if (labels[0]?.startsWith('_') === true) return ['SRV']
  const inDomain = `.${labels.join('.')}`.endsWith(`.${domain}`)
  return inDomain && labels.some((label) => label === 'service' || label === 'query')
    ? ['A', 'AAAA', 'SRV']
    : ['A', 'AAAA']
}

/** RFC 1035 §3.5 and RFC 3596 §2.5. */
function reverseName(ip: Uint8Array): string {
  if (ip.length === 4) return `${[...ip].toReversed().join('.')}.in-addr.arpa`
  const nibbles = [...ip].flatMap((byte) => [byte >> 4, byte & 15]).map((n) => n.toString(16))
  return `${nibbles.toReversed().join('.')}.ip6.arpa`
}

export interface DnsRecord {
  readonly Name: string
  readonly Type: string
  readonly TTL: number
  readonly Data: string
}

/** The answer of dns/service. */
export interface DnsAnswer {
  readonly Name: string
  readonly Type: string
  readonly Rcode: string
  /** The dig command that asks the same. */
  readonly Command: string
  readonly Answer: readonly DnsRecord[]
  readonly Authority: readonly DnsRecord[]
  readonly Additional: readonly DnsRecord[]
}

/** An answer as dig prints it, without its comments about the packet. */
export function digText({ Name, Type, Answer, Authority, Additional }: DnsAnswer): string {
  const sections = [
    [';; QUESTION SECTION:', `;${Name}\t\tIN\t${Type}`],
    section('ANSWER', Answer),
    section('AUTHORITY', Authority),
    section('ADDITIONAL', Additional),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function section(title: string, records: readonly DnsRecord[]): readonly string[] {
  if (records.length === 0) return []
  const widest = Math.max(...records.map(({ Name }) => Name.length))
  const lines = records.map(({ Name, Type, TTL, Data }) =>
    [Name.padEnd(widest), String(TTL), 'IN', Type.padEnd(4), Data].join(' '),
  )
  return [`;; ${title} SECTION:`, ...lines]
}

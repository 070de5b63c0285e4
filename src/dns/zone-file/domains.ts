import { formatName, isWithin, nameKey, sameName } from '../name.ts'
import { recordType } from '../record.ts'
import { targetOf } from '../static-zone.ts'
import type { Name } from '../name.ts'
import type { Findings } from './findings.ts'
import type { Row } from './row.ts'

const { A, AAAA, NS, DS } = recordType

/**
 * The registry always answers for its own domains: svcd refuses a file for one of them, and warns about
 * records within a domain in a file for a zone above it.
 */
export function checkDomains(
  soa: Row,
  rows: readonly Row[],
  domains: readonly Name[],
  findings: Findings,
): void {
  const origin = soa.record.name
  for (const domain of domains) {
    const text = formatName(domain)
    if (sameName(domain, origin)) {
      const advice = `use a zone below it, such as static.${text.slice(0, -1)}.zone`
      findings.fault(soa.file, soa.line, `the registry itself answers for ${text}; ${advice}`)
    } else if (isWithin(domain, origin)) {
      for (const { file, line, record } of hiddenBy(domain, rows)) {
        const name = formatName(record.name)
        findings.warn(file, line, `${name} is never served: the registry answers for ${text}`)
      }
    }
  }
}

/** Keeps a delegation to this server, with its glue: the zone's other servers need it. */
function hiddenBy(domain: Name, rows: readonly Row[]): readonly Row[] {
  const inside = rows.filter(({ record }) => isWithin(record.name, domain))
  const cut = inside.filter(({ record: { name, type } }) => {
    return (type === NS || type === DS) && sameName(name, domain)
  })
  const servers = cut.map(({ record }) => nameKey(targetOf(record) ?? []))
  const isGlue = ({ record: { name, type } }: Row): boolean =>
    (type === A || type === AAAA) && servers.includes(nameKey(name))
  return inside.filter((row) => !cut.includes(row) && !isGlue(row))
}

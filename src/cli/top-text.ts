import type { DnsTop, DnsTopRow } from '../client/rows.ts'
import { visible } from '../base/invisible.ts'
import type { Io } from './io.ts'
import { table, type Column } from './output.ts'

type Transport = DnsTop['Transports'][number]

/** `rows`: of each list. */
export function topText(io: Io, top: DnsTop, rows: number, isWide: boolean): string {
  const lists = [
    ['Name', top.Names],
    ['Name that does not exist', top.Missing],
    ['Client', top.Clients],
  ] as const
  const tables = lists.map(([header, all]) => {
    return all.length === 0 ? '' : `\n${table(io, all.slice(0, rows), rowColumns(header), isWide)}`
  })
  return [
    headline(top),
    table(io, top.Transports, transportColumns, isWide),
    ratesLine('Answers per second', top.Rcodes),
    ratesLine('Types per second', top.Types),
    ...tables,
  ].join('')
}

/** The lines that the text has besides the rows of its lists. */
export function otherLines({ Transports, Rcodes, Types, ...lists }: DnsTop): number {
  const shown = [lists.Names, lists.Missing, lists.Clients].filter((list) => list.length > 0)
  const lines = [Rcodes, Types].filter((rates) => Object.keys(rates).length > 0).length
  return 2 + Transports.length + lines + 2 * shown.length
}

function headline({ PerSecond, Seconds, CachedShare }: DnsTop): string {
  const cached = `${(CachedShare * 100).toFixed(1)} % of the answers from the cache`
  return `${rate(PerSecond)} DNS queries per second in the last ${Seconds.toFixed(0)} s, ${cached}\n`
}

function ratesLine(title: string, rates: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(rates).toSorted(([, a], [, b]) => b - a)
  if (sorted.length === 0) return ''
  return `${title}: ${sorted.map(([name, value]) => `${visible(name)} ${rate(value)}`).join(', ')}\n`
}

const transportColumns: readonly Column<Transport>[] = [
  { header: 'Transport', cell: ({ Transport }) => Transport },
  { header: 'Per second', cell: ({ PerSecond }) => rate(PerSecond) },
  { header: 'Half ready within', cell: ({ P50Ms }) => bound(P50Ms) },
  { header: '99 % ready within', cell: ({ P99Ms }) => bound(P99Ms) },
]

function rowColumns(header: string): readonly Column<DnsTopRow>[] {
  return [
    { header: 'Per second', cell: ({ PerSecond }) => rate(PerSecond) },
    { header, cell: ({ Name }) => Name },
  ]
}

function bound(ms: number | null): string {
  return ms === null ? '-' : `${ms} ms`
}

function rate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0)
}

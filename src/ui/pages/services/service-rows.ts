import type { ServiceSummary } from '../../../client/rows.ts'
import { healthRank, totalOf, worstOf } from '../../core/health.ts'
import type { Health } from '../../core/health.ts'
import { filterOf, matcherOf } from '../../core/match.ts'
import type { Facts } from '../../core/match.ts'
import type { Term } from '../../core/query.ts'
import { sorted } from '../../core/sort.ts'
import type { Sort, SortKey } from '../../core/sort.ts'

/** A service as the list shows it. */
export interface ServiceRow {
  readonly summary: ServiceSummary
  readonly health: Health
  readonly total: number
  /** What a query can ask of it. */
  readonly facts: Facts
}

/** A row for each summary, which is an object of its own until the service changes. */
const known = new WeakMap<ServiceSummary, ServiceRow>()

export function rowsOf(summaries: readonly ServiceSummary[]): readonly ServiceRow[] {
  return summaries.map((summary) => known.get(summary) ?? rowOf(summary))
}

function rowOf(summary: ServiceSummary): ServiceRow {
  const health = worstOf(summary)
  const { Name, Tags } = summary
  const facts = { name: Name, service: [Name], tag: Tags, status: health }
  const row = { summary, health, total: totalOf(summary), facts }
  known.set(summary, row)
  return row
}

/** The rows that fulfill the terms which rows can be judged by. */
export function filtered(
  rows: readonly ServiceRow[],
  terms: readonly Term[],
): readonly ServiceRow[] {
  if (terms.length === 0) return rows
  const fits = matcherOf(terms)
  return rows.filter(({ facts }) => fits(facts))
}

/** The stream of the list. Terms about nodes and metadata are judged by the agent. */
export function streamOf(terms: readonly Term[]): string {
  const filter = filterOf(terms, { node: 'Node', meta: 'ServiceMeta' })
  const search = new URLSearchParams({ stale: '' })
  if (filter !== '') search.set('filter', filter)
  return `watch/summary?${search.toString()}`
}

const keys: Readonly<Record<string, (row: ServiceRow) => SortKey>> = {
  status: ({ health }) => healthRank[health],
  name: ({ summary }) => summary.Name.toLowerCase(),
  instances: ({ total }) => total,
}

/** Broken services come first, unless the reader chooses another order. */
export const defaultSort: Sort = { column: 'status', isDescending: false }

export function ordered(
  rows: readonly ServiceRow[],
  { column, isDescending }: Sort,
): readonly ServiceRow[] {
  const key = keys[column]
  return key === undefined ? rows : sorted(rows, key, isDescending)
}

/** What of a row a reader sees change. */
export function signatureOf({
  Passing,
  Warning,
  Critical,
  Maintenance,
  Reason,
}: ServiceSummary): string {
  return [Passing, Warning, Critical, Maintenance, Reason?.ModifyIndex ?? 0].join()
}

import type { Metric } from '../../base/metric.ts'
import type { QueryLogFigures } from './query-log.ts'

/** Nothing without a query log. */
export function queryLogMetrics(figures: QueryLogFigures | undefined): readonly Metric[] {
  if (figures === undefined) return []
  const { lines, dropped, isFailing } = figures
  return [
    metric('lines_total', 'counter', 'Lines written to the query log.', lines),
    metric(
      'dropped_total',
      'counter',
      'Lines of the query log that were dropped because they could not be written in time.',
      dropped,
    ),
    metric(
      'failing',
      'gauge',
      '1 if the query log cannot be written now, otherwise 0.',
      isFailing ? 1 : 0,
    ),
  ]
}

function metric(name: string, kind: Metric['kind'], help: string, value: number): Metric {
  return { name: `svcd_dns_query_log_${name}`, help, kind, samples: [{ labels: {}, value }] }
}

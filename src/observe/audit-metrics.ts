import type { AuditFigures } from '../audit/trail.ts'
import type { AnyMetric, Metric } from '../base/metric.ts'

/** `figures`: undefined without an audit log. */
export function auditMetrics(figures: AuditFigures | undefined): readonly AnyMetric[] {
  if (figures === undefined) return []
  const { failure, failures, lines, requestsLeftOut, entriesLeftOut, writtenIndex } = figures
  return [
    metric(
      'gauge',
      'failing',
      '1 while the audit log cannot be written, else 0.',
      failure === undefined ? 0 : 1,
    ),
    metric('counter', 'failures_total', 'How often writing the audit log began to fail.', failures),
    metric('counter', 'lines_total', 'Lines written to the audit log.', lines),
    metric(
      'counter',
      'requests_left_out_total',
      'Requests that have no line in the audit log, because there were too many at a time.',
      requestsLeftOut,
    ),
    metric(
      'counter',
      'entries_left_out_total',
      'Entries of the log that have no line in the audit log, because they were compacted before.',
      entriesLeftOut,
    ),
    metric(
      'gauge',
      'written_index',
      'The last entry of the log that is in the audit log.',
      writtenIndex,
    ),
  ]
}

function metric(kind: 'gauge' | 'counter', name: string, help: string, value: number): Metric {
  return { name: `svcd_audit_log_${name}`, help, kind, samples: [{ labels: {}, value }] }
}

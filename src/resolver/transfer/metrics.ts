import type { AnyMetric, Metric } from '../../base/metric.ts'
import type { TransferFigures } from './transfer-options.ts'

/** The metrics of zone transfers; none while they are off. */
export function transferMetrics(figures: TransferFigures | undefined): readonly AnyMetric[] {
  if (figures === undefined) return []
  const { results, running, bytes, notifies } = figures
  return [
    byResult('queries_total', 'Queries for zone transfers, by result.', results),
    byResult('notifies_total', 'NOTIFY messages to secondaries, by result.', notifies),
    plain('running', 'gauge', 'Zone transfers that are under way.', running),
    plain('bytes_total', 'counter', 'Octets of zone transfers that were sent.', bytes),
  ]
}

function byResult(name: string, help: string, counts: Readonly<Record<string, number>>): Metric {
  const samples = Object.entries(counts).map(([result, value]) => ({ labels: { result }, value }))
  return { name: `svcd_transfer_${name}`, help, kind: 'counter', samples }
}

function plain(name: string, kind: Metric['kind'], help: string, value: number): Metric {
  return { name: `svcd_transfer_${name}`, help, kind, samples: [{ labels: {}, value }] }
}

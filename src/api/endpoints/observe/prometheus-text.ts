import { Registry, collectDefaultMetrics } from 'prom-client'
import type { AnyMetric, HistogramSeries, Labels } from '../../../base/metric.ts'

/** Writes metrics in Prometheus' text format, with those of this process: CPU, memory and event loop. */
export class PrometheusText {
  readonly #process = new Registry()

  /** Metrics that observe events (garbage collections, delays) count from here on. */
  constructor() {
    collectDefaultMetrics({ register: this.#process, eventLoopMonitoringPrecision: 100 })
  }

  async of(
    metrics: readonly AnyMetric[],
  ): Promise<{ readonly type: string; readonly body: string }> {
    const registry = Registry.merge([this.#process, registryOf(metrics)])
    return { type: registry.contentType, body: await registry.metrics() }
  }

  close(): void {
    this.#process.clear()
  }
}

interface PromValue {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

/** A registry of metrics that were counted elsewhere; prom-client calls `get` for their values. */
function registryOf(metrics: readonly AnyMetric[]): Registry {
  const registry = new Registry()
  for (const metric of metrics) {
    const { name, help, kind: type } = metric
    const values = metric.kind === 'histogram' ? metric.series.flatMap(bucketsOf) : metric.samples
    const named = values.map((value: PromValue) => ({
      ...value,
      ...(value.metricName === undefined ? {} : { metricName: name + value.metricName }),
    }))
    const get = async (): Promise<object> => ({
      name,
      help,
      type,
      values: named,
      aggregator: 'sum',
    })
    registry.registerMetric({ name, help, type, get } as never)
  }
  return registry
}

function bucketsOf({ labels, bounds, counts, count, sum }: HistogramSeries): PromValue[] {
  let below = 0
  const buckets = bounds.map((bound, at) => {
    below += counts[at] ?? 0
    return { metricName: '_bucket', labels: { ...labels, le: String(bound) }, value: below }
  })
  return [
    ...buckets,
    { metricName: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: '_sum', labels, value: sum },
    { metricName: '_count', labels, value: count },
  ]
}

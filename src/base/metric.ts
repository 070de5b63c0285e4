/** One figure of the process for its observers, as plain numbers. */
export interface Metric {
  /** A Prometheus name, such as `svcd_dns_queries_total`. */
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly samples: readonly Sample[]
}

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

/** A distribution, as counts per bucket. */
export interface HistogramMetric {
  readonly name: string
  readonly help: string
  readonly kind: 'histogram'
  readonly series: readonly HistogramSeries[]
}

export interface HistogramSeries {
  readonly labels: Labels
  /** Upper bounds, ascending. Values above the last count in `count` only. */
  readonly bounds: readonly number[]
  /** The number of values above the previous bound and up to this one. */
  readonly counts: readonly number[]
  readonly count: number
  readonly sum: number
}

export type AnyMetric = Metric | HistogramMetric

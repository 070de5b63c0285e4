/** A colour of style/plot.css: a status, or a place in the palette. */
export type SeriesColor =
  'passing' | 'warning' | 'critical' | 'maintenance' | 'plain-1' | 'plain-2' | 'plain-3' | 'plain-4'

export type Values = readonly (number | null)[]

export interface Series {
  readonly name: string
  readonly color: SeriesColor
  readonly values: Values
}

/** Series of one length; the last value is that of `endMs`. */
export interface PlotData {
  readonly endMs: number
  readonly stepMs: number
  readonly series: readonly Series[]
}

/** The times of the values in ms. */
export function timesOf({ endMs, stepMs, series }: PlotData): readonly number[] {
  const count = series[0]?.values.length ?? 0
  return Array.from({ length: count }, (_none, at) => endMs - (count - 1 - at) * stepMs)
}

/** Each series on top of those before it; null where nothing is known. */
export function stacked(series: readonly Series[]): readonly Values[] {
  let below: Values = []
  return series.map(({ values }) => {
    below = values.map((value, at) => (value === null ? null : value + (below[at] ?? 0)))
    return below
  })
}

/** The places of values without a known neighbour: no line leads to them. */
export function isolated(values: Values): number[] {
  return [...values.keys()].filter(
    (at) =>
      values[at] !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null,
  )
}

export interface TableRow {
  readonly atMs: number
  readonly values: Values
}

/** The means of so many values each, newest first. */
export function tableOf(data: PlotData, width: number): readonly TableRow[] {
  const times = timesOf(data)
  const rows: TableRow[] = []
  for (let end = times.length; end > 0; end -= width) {
    const from = Math.max(0, end - width)
    const values = data.series.map((each) => meanOf(each.values.slice(from, end)))
    rows.push({ atMs: times[end - 1] ?? 0, values })
  }
  return rows
}

function meanOf(values: Values): number | null {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return null
  return known.reduce((sum, value) => sum + value, 0) / known.length
}

/** `1,234/s`, `0.25/s`, `–` where nothing is known. */
export function valueText(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–'
  return numberText(value) + unit
}

export function numberText(value: number): string {
  if (value !== 0 && value < 10 && !Number.isInteger(value))
    return String(Number(value.toPrecision(2)))
  return Math.round(value).toLocaleString('en')
}

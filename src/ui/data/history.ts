import type { AgentHistory, HealthHistory, HistoryValues } from '../../client/rows.ts'
import type { PlotData, Series, SeriesColor } from '../core/series.ts'
import { nowMs } from './clock.ts'
import { useFetched } from './fetched.ts'
import type { Fetched } from './fetched.ts'

/** The agent records a value every ten seconds. */
const stepMs = 10_000

/** The last hour of this agent, asked for again with each new value. */
export function useHistory(): Fetched<AgentHistory> {
  return useFetched<AgentHistory>('agent/history', useStep())
}

/** A number that grows every ten seconds while the tab can be seen. */
export function useStep(): number {
  return Math.floor(nowMs.value / stepMs)
}

interface Span {
  readonly StepSeconds: number
  readonly End: string
}

export function plotOf({ StepSeconds, End }: Span, series: readonly Series[]): PlotData {
  return { endMs: Date.parse(End), stepMs: StepSeconds * 1000, series }
}

const rcodeColors: Readonly<Record<string, SeriesColor>> = {
  NOERROR: 'plain-1',
  NXDOMAIN: 'warning',
  SERVFAIL: 'critical',
  REFUSED: 'maintenance',
}

/** DNS answers by response code: usual ones first. */
export function questionSeries({ Questions }: AgentHistory): readonly Series[] {
  const order = ['NOERROR', 'NXDOMAIN', 'REFUSED', 'SERVFAIL']
  const rest = Object.keys(Questions).filter((rcode) => !order.includes(rcode))
  return [...order, ...rest].flatMap((name) => {
    const values = Questions[name]
    return values === undefined ? [] : [{ name, color: rcodeColors[name] ?? 'plain-2', values }]
  })
}

export function requestSeries({ Requests }: AgentHistory): readonly Series[] {
  return [
    { name: 'all', color: 'plain-1', values: Requests.All },
    { name: '4xx', color: 'warning', values: Requests.ClientErrors },
    { name: '5xx', color: 'critical', values: Requests.ServerErrors },
  ]
}

/** Statuses that no instance had in the hour are left out. */
export function healthSeries(health: HealthHistory): readonly Series[] {
  const all: readonly Series[] = [
    { name: 'critical', color: 'critical', values: health.Critical },
    { name: 'warning', color: 'warning', values: health.Warning },
    { name: 'maintenance', color: 'maintenance', values: health.Maintenance },
    { name: 'passing', color: 'passing', values: health.Passing },
  ]
  return all.filter(
    ({ name, values }) => name === 'passing' || values.some((value) => (value ?? 0) > 0),
  )
}

/** `nameOf`: the name of a server by its ID. */
export function lagSeries(
  { Lag }: AgentHistory,
  nameOf: (id: string) => string,
): readonly Series[] {
  const palette = ['plain-1', 'plain-2', 'plain-3', 'plain-4'] as const
  return Object.entries(Lag).map(([id, values], at) => ({
    name: nameOf(id),
    color: palette[at % palette.length] ?? 'plain-1',
    values,
  }))
}

/** The last value; undefined: not known. */
export function latest(values: HistoryValues | undefined): number | undefined {
  return values?.at(-1) ?? undefined
}

/** The sum of the last values. */
export function latestSum(all: Readonly<Record<string, HistoryValues>>): number | undefined {
  const known = Object.values(all).map(latest)
  return known.length === 0
    ? undefined
    : known.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}

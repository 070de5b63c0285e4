import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { ServiceHistory } from '../../../client/rows.ts'
import { useFetched } from '../../data/fetched.ts'
import { healthSeries, plotOf, useStep } from '../../data/history.ts'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { Plot } from '../../parts/plot/plot.tsx'

/** How many instances of a service were in which health in the last hour. */
export function HealthHistoryTab({ service }: { readonly service: string }): JSX.Element {
  const path = `health/history/${encodeURIComponent(service)}`
  const { data, fault } = useFetched<ServiceHistory>(path, useStep())
  const plot = useMemo(
    () => (data?.Health ? plotOf(data, healthSeries(data.Health)) : undefined),
    [data],
  )
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  if (plot === undefined) {
    return (
      <Empty title="Nothing is recorded of this service">
        <p>
          The agent looks at the catalog every ten seconds, and keeps the last hour. This shows the
          instances on all nodes, so a token needs the right to read them all.
        </p>
      </Empty>
    )
  }
  return (
    <div class="plots">
      <Plot title="Instances by health" unit="" data={plot} isStacked />
    </div>
  )
}

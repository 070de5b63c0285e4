import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { AgentHistory, ServerHealth } from '../../../client/rows.ts'
import {
  healthSeries,
  lagSeries,
  plotOf,
  questionSeries,
  requestSeries,
} from '../../data/history.ts'
import { Plot } from '../../parts/plot/plot.tsx'

interface HourPlotsProps {
  readonly history: AgentHistory | undefined
  readonly servers: readonly Pick<ServerHealth, 'ID' | 'Name'>[]
}

/** The last hour of this agent. */
export function HourPlots({ history, servers }: HourPlotsProps): JSX.Element {
  const plots = useMemo(() => (history === undefined ? undefined : plotsOf(history)), [history])
  if (history === undefined || plots === undefined || history.Requests.All.length < 2) {
    return (
      <p class="waiting-plots muted">
        The agent records the last hour. The plots begin twenty seconds after its start.
      </p>
    )
  }
  return (
    <div class="plots">
      {plots.questions.series.length > 0 && (
        <Plot title="DNS answers" unit="/s" data={plots.questions} isStacked />
      )}
      <Plot title="HTTP requests" unit="/s" data={plots.requests} />
      <Plot title="Instances by health" unit="" data={plots.health} isStacked />
      <LagPlot history={history} servers={servers} />
    </div>
  )
}

/** How far each server is behind. Only an agent that leads records it. */
export function LagPlot({
  history,
  servers,
}: {
  readonly history: AgentHistory
  readonly servers: HourPlotsProps['servers']
}): JSX.Element | null {
  const names = servers.map(({ ID, Name }) => `${ID} ${Name}`).join()
  const data = useMemo(() => {
    const nameOf = (id: string): string =>
      servers.find(({ ID }) => ID === id)?.Name ?? id.slice(0, 8)
    return plotOf(history, lagSeries(history, nameOf))
  }, [history, names])
  if (data.series.length < 2) return null
  return <Plot title="Raft lag in entries" unit="" data={data} />
}

function plotsOf(history: AgentHistory) {
  return {
    questions: plotOf(history, questionSeries(history)),
    requests: plotOf(history, requestSeries(history)),
    health: plotOf(history, healthSeries(history.Health)),
  }
}

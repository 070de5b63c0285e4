import type { JSX } from 'preact'
import type { NodeSummary, ServerHealth } from '../../../client/rows.ts'
import { pathTo } from '../../core/route.ts'
import { healthOfServer, toleranceText } from '../../core/servers.ts'
import { counted } from '../../core/text.ts'
import { useFetched } from '../../data/fetched.ts'
import { useHistory, useStep } from '../../data/history.ts'
import { useLive } from '../../data/live.ts'
import { useServerHealth } from '../../data/server-health.ts'
import { FactList } from '../../parts/facts.tsx'
import { Status } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { Fault, Waiting } from '../../parts/note.tsx'
import { LagPlot } from '../overview/hour-plots.tsx'
import { ServerGrid } from './server-grid.tsx'
import { Snapshots } from './snapshots.tsx'

interface AutopilotRules {
  readonly LastContactThreshold: string
  readonly MaxTrailingLogs: number
}

/** The servers, Raft, and snapshots of the state. */
export function ClusterPage(): JSX.Element {
  // A change of a server is a change of its node.
  const { data: nodes } = useLive<readonly NodeSummary[]>('watch/node-summary?stale=')
  const step = useStep()
  const { health, fault } = useServerHealth(`${step} ${signatureOf(nodes ?? [])}`)
  const { data: rules } = useFetched<AutopilotRules>('operator/autopilot/configuration')
  const { data: history } = useHistory()
  if (health === undefined) {
    return fault === undefined ? <Waiting /> : <Fault fault={fault} />
  }
  const leader = health.Servers.find(({ Leader }) => Leader)
  return (
    <>
      <header class="page-head">
        <h1>Cluster</h1>
        <p class="count">
          {counted(health.Servers.length, 'server')} · {toleranceText(health)}
        </p>
        <Verdict isHealthy={health.Healthy} servers={health.Servers} />
      </header>
      <ServerGrid health={health} />
      {history !== undefined && (
        <div class="plots">
          <LagPlot history={history} servers={health.Servers} />
        </div>
      )}
      <div class="columns">
        <section>
          <h2>Raft</h2>
          <FactList
            rows={[
              [
                'Leader',
                leader === undefined ? (
                  'none: writes wait until there is one'
                ) : (
                  <Name text={leader.Name} href={pathTo('nodes', leader.Name)} />
                ),
              ],
              ['Term', String(Math.max(...health.Servers.map(({ LastTerm }) => LastTerm)))],
              ['Last entry', lastEntry(health.Servers)],
              [
                'Failed after',
                rules === undefined ? '–' : `${rules.LastContactThreshold} of silence`,
              ],
              [
                'Keeps',
                rules === undefined
                  ? '–'
                  : `${rules.MaxTrailingLogs.toLocaleString('en')} entries for servers that catch up`,
              ],
            ]}
          />
        </section>
        <Snapshots />
      </div>
    </>
  )
}

function signatureOf(nodes: readonly NodeSummary[]): string {
  return nodes.map(({ Node, Status: status }) => `${Node}:${status}`).join()
}

function lastEntry(servers: readonly ServerHealth[]): string {
  return Math.max(...servers.map(({ LastIndex }) => LastIndex)).toLocaleString('en')
}

function Verdict({
  isHealthy,
  servers,
}: {
  readonly isHealthy: boolean
  readonly servers: readonly ServerHealth[]
}): JSX.Element {
  const broken = servers.filter((server) => healthOfServer(server) !== 'passing')
  const text = isHealthy
    ? 'All servers are healthy'
    : `Not healthy: ${broken.map(({ Name }) => Name).join(', ')}`
  return (
    <p class="verdict">
      <Status health={isHealthy ? 'passing' : 'critical'} text={text} />
    </p>
  )
}

import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { Self, ServiceSummary } from '../../../client/rows.ts'
import { pathTo } from '../../core/route.ts'
import { counted } from '../../core/text.ts'
import { useFetched } from '../../data/fetched.ts'
import { useHistory, useStep } from '../../data/history.ts'
import { useLive } from '../../data/live.ts'
import { useServerHealth } from '../../data/server-health.ts'
import { Fault, FilteredNote, Waiting } from '../../parts/note.tsx'
import { HealthSummary } from '../services/health-summary.tsx'
import { NoServices, NothingVisible } from '../services/no-services.tsx'
import { rowsOf } from '../services/service-rows.ts'
import { Broken } from './broken.tsx'
import { Flapping } from './flapping.tsx'
import { HourPlots } from './hour-plots.tsx'
import { ClusterTiles } from './cluster-tiles.tsx'

/** Whether the cluster is well, what is broken, since when and why. */
export function OverviewPage(): JSX.Element {
  const step = useStep()
  const { data, fault, isFiltered, isDeny } =
    useLive<readonly ServiceSummary[]>('watch/summary?stale=')
  const { data: self } = useFetched<Self>('agent/self', step)
  const servers = useServerHealth(step)
  const { data: history } = useHistory()
  const rows = useMemo(() => rowsOf(data ?? []), [data])
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  const isEmpty = rows.every(({ summary }) => summary.Name === 'consul')
  return (
    <>
      <header class="page-head">
        <h1>Overview</h1>
        <HealthSummary rows={rows} />
        <p class="count">{counted(rows.length, 'service')}</p>
      </header>
      <FilteredNote isFiltered={isFiltered} />
      <ClusterTiles servers={servers} self={self} history={history} />
      {isEmpty && (isDeny && rows.length === 0 ? <NothingVisible /> : <NoServices />)}
      {!isEmpty && (
        <div class="sections">
          <Broken rows={rows} />
          {history !== undefined && history.Flapping.length > 0 && (
            <Flapping rows={history.Flapping} />
          )}
        </div>
      )}
      <HourPlots history={history} servers={servers.health?.Servers ?? []} />
      <p class="more">
        <a href={pathTo('cluster')}>Servers and snapshots</a>
        <a href={pathTo('services')}>All services</a>
      </p>
    </>
  )
}

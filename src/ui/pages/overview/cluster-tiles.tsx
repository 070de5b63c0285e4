import type { JSX } from 'preact'
import type { AgentHistory, Self } from '../../../client/rows.ts'
import { numberText } from '../../core/series.ts'
import { lagOf, toleranceText } from '../../core/servers.ts'
import { pathTo } from '../../core/route.ts'
import { counted } from '../../core/text.ts'
import { latest, latestSum } from '../../data/history.ts'
import type { ServersState } from '../../data/server-health.ts'
import { Status } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { Tiles } from '../../parts/tiles.tsx'
import type { Tile } from '../../parts/tiles.tsx'

interface ClusterTilesProps {
  readonly servers: ServersState
  readonly self: Self | undefined
  readonly history: AgentHistory | undefined
}

/** Who leads, how the servers are, and what this agent answers. */
export function ClusterTiles({ servers, self, history }: ClusterTilesProps): JSX.Element {
  return (
    <Tiles
      rows={[leader(servers, self), serverTile(servers), questions(history), requests(history)]}
    />
  )
}

function leader({ health, fault }: ServersState, self: Self | undefined): Tile {
  const found = health?.Servers.find(({ Leader }) => Leader)
  const term = self?.Stats['raft']?.['term']
  const note = term === undefined ? undefined : `term ${Number(term).toLocaleString('en')}`
  const row = { name: 'Leader', href: pathTo('cluster'), note }
  if (found !== undefined) return { ...row, value: <Name text={found.Name} /> }
  if (health === undefined) return { ...row, value: fault === undefined ? '…' : 'unknown' }
  return {
    ...row,
    value: <Status health="critical" text="no leader" />,
    note: 'Writes wait until there is one.',
  }
}

function serverTile({ health, fault }: ServersState): Tile {
  const row = { name: 'Servers healthy', href: pathTo('cluster') }
  if (health === undefined) {
    return fault?.status === 403
      ? { ...row, value: 'unknown', note: 'needs the right operator:read' }
      : { ...row, value: '…' }
  }
  const well = health.Servers.filter(({ Healthy }) => Healthy).length
  const text = `${well} of ${health.Servers.length}`
  const lags = health.Servers.map((server) => lagOf(server, health) ?? 0)
  const behind = Math.max(0, ...lags)
  const tolerance = toleranceText(health)
  return {
    ...row,
    value: health.Healthy ? text : <Status health="critical" text={text} />,
    note: behind === 0 ? tolerance : `${tolerance} · lag ${counted(behind, 'entry', 'entries')}`,
  }
}

function questions(history: AgentHistory | undefined): Tile {
  const name = 'DNS answers per second'
  const all = history === undefined ? undefined : latestSum(history.Questions)
  if (all === undefined) return { name, value: '0', note: 'none in the last hour' }
  const failed = latest(history?.Questions['SERVFAIL']) ?? 0
  return { name, value: numberText(all), note: share(failed, all, 'SERVFAIL') }
}

function requests(history: AgentHistory | undefined): Tile {
  const name = 'HTTP requests per second'
  const all = latest(history?.Requests.All)
  if (all === undefined) return { name, value: '–', note: 'recorded after ten seconds' }
  const failed = latest(history?.Requests.ServerErrors) ?? 0
  return { name, value: numberText(all), note: share(failed, all, '5xx') }
}

function share(part: number, all: number, what: string): JSX.Element | string {
  if (part === 0 || all === 0) return `no ${what}`
  const text = `${((100 * part) / all).toPrecision(2)} % ${what}`
  return <span class="critical-text">{text}</span>
}

import type { JSX } from 'preact'
import type { OperatorHealth, ServerHealth } from '../../../client/rows.ts'
import { pathTo } from '../../core/route.ts'
import { contactText, healthOfServer, lagOf, roleOf } from '../../core/servers.ts'
import { agoText, exactText } from '../../core/time-text.ts'
import { nowMs } from '../../data/clock.ts'
import { isUtc } from '../../data/preferences.ts'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Mark } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'

/** The servers in the configuration of Raft. */
export function ServerGrid({ health }: { readonly health: OperatorHealth }): JSX.Element {
  return (
    <Grid
      label="Servers"
      columns={columnsOf(health)}
      rows={health.Servers}
      keyOf={({ ID }) => ID}
      hrefOf={hrefOf}
    />
  )
}

function hrefOf({ Name: name }: ServerHealth): string {
  return pathTo('nodes', name)
}

function columnsOf(health: OperatorHealth): readonly Column<ServerHealth>[] {
  return [
    {
      id: 'status',
      title: 'Status',
      width: 'var(--status-width)',
      cell: (server) => <Mark health={healthOfServer(server)} />,
    },
    {
      id: 'name',
      title: 'Name',
      width: 'minmax(120px, 2fr)',
      cell: (server) => <Name text={server.Name} href={hrefOf(server)} />,
    },
    {
      id: 'role',
      title: 'Role',
      width: '72px',
      cell: (server) => (server.Leader ? <strong>leader</strong> : roleOf(server)),
    },
    {
      id: 'lag',
      title: 'Lag',
      width: '80px',
      isNumber: true,
      cell: (server) => lag(lagOf(server, health)),
    },
    {
      id: 'contact',
      title: 'Last contact',
      width: 'minmax(100px, 1fr)',
      place: 'second-line',
      cell: (server) => contact(server),
    },
    {
      id: 'stable',
      title: 'Unchanged for',
      width: 'minmax(90px, 1fr)',
      place: 'wide',
      cell: stable,
    },
    {
      id: 'address',
      title: 'Address',
      width: 'minmax(150px, 2fr)',
      place: 'wide',
      cell: ({ Address }) => <Name text={Address} />,
    },
    {
      id: 'id',
      title: 'ID',
      width: 'minmax(120px, 2fr)',
      place: 'wide',
      cell: ({ ID }) => <Name text={ID} />,
    },
  ]
}

function lag(entries: number | undefined): JSX.Element | string {
  if (entries === undefined) return <span class="muted">–</span>
  return (
    <span title={`${entries} entries of the log are missing`}>{entries.toLocaleString('en')}</span>
  )
}

function contact(row: ServerHealth): string {
  if (row.Leader) return 'leads'
  return contactText(row) || 'not known'
}

/** How long it has been healthy, or not. */
function stable({ StableSince }: ServerHealth): JSX.Element | string {
  const sinceMs = Date.parse(StableSince)
  // Go's time for "never" is that of the year 1.
  if (!(sinceMs > 0)) return ''
  return <time title={exactText(sinceMs, isUtc.value)}>{agoText(nowMs.value - sinceMs)}</time>
}

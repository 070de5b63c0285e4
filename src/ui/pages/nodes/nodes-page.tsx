import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { NodeSummary } from '../../../client/rows.ts'
import { healthRank, statusOf, totalOf } from '../../core/health.ts'
import type { Health } from '../../core/health.ts'
import { matcherOf } from '../../core/match.ts'
import { parseQuery } from '../../core/query.ts'
import { pathTo } from '../../core/route.ts'
import { parseSort, sorted } from '../../core/sort.ts'
import type { SortKey } from '../../core/sort.ts'
import { counted, numberText, visibleText } from '../../core/text.ts'
import { useChanged } from '../../data/changed.ts'
import { useLiveRows } from '../../data/live.ts'
import { parameters } from '../../data/location.ts'
import { useTimes } from '../../data/times.ts'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Mark } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, FilteredNote, Waiting } from '../../parts/note.tsx'
import { screen } from '../../parts/screen.ts'
import { Why } from '../../parts/why.tsx'
import { HealthSummary } from '../services/health-summary.tsx'
import { NothingFound } from '../services/no-services.tsx'

interface NodeRow {
  readonly summary: NodeSummary
  readonly health: Health
  /** Instances on it that do not pass. */
  readonly failing: number
}

/** Every node, with the health of its own checks and of what runs on it. */
export function NodesPage(): JSX.Element {
  const query = parameters.value.get('q') ?? ''
  const { terms } = useMemo(() => parseQuery(query), [query])
  const { data, fault, isFiltered } = useLiveRows<NodeSummary>(
    'watch/node-summary?stale=',
    ({ Node }) => [Node],
  )
  const all = useMemo(() => (data ?? []).map(rowOf), [data])
  const sort = parseSort(parameters.value.get('sort') ?? '', {
    column: 'status',
    isDescending: false,
  })
  // Ordered first: a key in the query box then only filters.
  const inOrder = useMemo(() => {
    const key = keys[sort.column]
    return key === undefined ? all : sorted(all, key, sort.isDescending)
  }, [all, sort.column, sort.isDescending])
  const rows = useMemo(() => {
    const fits = matcherOf(terms)
    return inOrder.filter((row) => fits(factsOf(row)))
  }, [inOrder, terms])
  const changed = useChanged(data, ({ Node }) => Node, signatureOf)
  useTimes(rows.slice(0, 300).map(({ summary }) => summary.Reason?.ModifyIndex ?? 0))
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  return (
    <>
      <header class="page-head">
        <h1>Nodes</h1>
        <HealthSummary rows={all} page="nodes" />
        <p class="count" role="status">
          {rows.length === all.length
            ? counted(all.length, 'node')
            : `${counted(rows.length, 'node')} of ${numberText(all.length)}`}
        </p>
      </header>
      <FilteredNote isFiltered={isFiltered} />
      {rows.length > 0 && (
        <Grid
          label="Nodes"
          columns={columns}
          rows={rows}
          keyOf={keyOf}
          hrefOf={hrefOf}
          sort={sort}
          changed={changed}
        />
      )}
      {all.length === 0 && (
        <Empty title="No node is visible">
          <p>
            The catalog always has the nodes of the servers, so the token may not read them.{' '}
            <a href={pathTo('settings')}>Enter a token</a>
          </p>
        </Empty>
      )}
      {all.length > 0 && rows.length === 0 && <NothingFound query={query} what="node" />}
    </>
  )
}

function rowOf(summary: NodeSummary): NodeRow {
  const health = summary.Status === 'maintenance' ? 'maintenance' : statusOf(summary.Status)
  return { summary, health, failing: totalOf(summary) - summary.Passing }
}

function factsOf({ summary, health }: NodeRow) {
  return { name: summary.Node, node: [summary.Node], status: health, meta: summary.Meta }
}

const keys: Readonly<Record<string, (row: NodeRow) => SortKey>> = {
  status: ({ health, failing }) => healthRank[health] * 1e6 - failing,
  name: ({ summary }) => summary.Node.toLowerCase(),
  address: ({ summary }) => summary.Address,
  instances: ({ summary }) => totalOf(summary),
}

function signatureOf(summary: NodeSummary): string {
  const { Status, Passing, Warning, Critical, Maintenance, Address } = summary
  return [Status, Passing, Warning, Critical, Maintenance, Address].join()
}

function keyOf({ summary }: NodeRow): string {
  return summary.Node
}

function hrefOf({ summary }: NodeRow): string {
  return pathTo('nodes', summary.Node)
}

const columns: readonly Column<NodeRow>[] = [
  {
    id: 'status',
    title: 'Status',
    width: 'var(--status-width)',
    isSortable: true,
    cell: ({ health }) => <Mark health={health} />,
  },
  {
    id: 'name',
    title: 'Name',
    width: 'minmax(120px, 2fr)',
    isSortable: true,
    cell: (row) => <Name text={row.summary.Node} href={hrefOf(row)} />,
  },
  {
    id: 'address',
    title: 'Address',
    width: 'minmax(110px, 1.2fr)',
    isSortable: true,
    place: 'wide',
    cell: ({ summary }) => <Name text={summary.Address} />,
  },
  {
    id: 'instances',
    title: 'Passing',
    width: '92px',
    isSortable: true,
    isNumber: true,
    cell: passing,
  },
  { id: 'why', title: 'Why', width: 'minmax(180px, 3fr)', place: 'second-line', cell: why },
  { id: 'meta', title: 'Metadata', width: 'minmax(120px, 2fr)', place: 'wide', cell: meta },
]

function passing({ summary }: NodeRow): JSX.Element | string {
  const total = totalOf(summary)
  if (total === 0) return <span class="muted">no instances</span>
  return (
    <span title={`${summary.Passing} of ${counted(total, 'instance')} on this node passing`}>
      <strong>{summary.Passing}</strong>
      <span class="muted"> / {total}</span>
    </span>
  )
}

function why({ summary, health, failing }: NodeRow): JSX.Element | string {
  const { Reason } = summary
  if (Reason !== null && Reason !== undefined) {
    const { CheckID, Output, ModifyIndex } = Reason
    return <Why health={health} checkId={CheckID} output={Output} index={ModifyIndex} />
  }
  if (failing > 0) return <span class="muted">{counted(failing, 'instance')} not passing</span>
  return screen.value === 'phone' ? <Name text={summary.Address} /> : ''
}

function meta({ summary }: NodeRow): JSX.Element {
  const text = Object.entries(summary.Meta)
    .filter(([key]) => !key.startsWith('consul-'))
    .map((pair) => visibleText(pair.join('=')))
    .join('  ')
  return (
    <span class="muted" title={text}>
      <bdi>{text}</bdi>
    </span>
  )
}

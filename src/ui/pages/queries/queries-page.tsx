import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { QueryEntry } from '../../../client/rows.ts'
import { pathTo } from '../../core/route.ts'
import { parseSort, sorted } from '../../core/sort.ts'
import type { Sort, SortKey } from '../../core/sort.ts'
import { counted } from '../../core/text.ts'
import { useFollowed } from '../../data/followed.ts'
import { parameters } from '../../data/location.ts'
import { Command } from '../../parts/copy.tsx'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, FilteredNote, Waiting } from '../../parts/note.tsx'
import { choosesText, queryTitle } from './query-text.ts'

const defaultSort: Sort = { column: 'name', isDescending: false }

const sortKeys: Readonly<Record<string, (row: QueryEntry) => SortKey>> = {
  name: (row) => queryTitle(row).toLowerCase(),
  service: ({ Service }) => Service.Service.toLowerCase(),
}

/** All prepared queries. */
export function QueriesPage(): JSX.Element {
  const { data, fault, isFiltered } = useFollowed<readonly QueryEntry[]>('query')
  const sort = parseSort(parameters.value.get('sort') ?? '', defaultSort)
  const key = sortKeys[sort.column] ?? queryTitle
  const rows = useMemo(
    () => sorted(data ?? [], key, sort.isDescending),
    [data, key, sort.isDescending],
  )
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  return (
    <>
      <header class="page-head">
        <h1>Prepared queries</h1>
        <p class="count" role="status">
          {counted(rows.length, 'query', 'queries')}
        </p>
      </header>
      <FilteredNote isFiltered={isFiltered} />
      {rows.length === 0 ? (
        <NoQueries />
      ) : (
        <Grid
          label="Prepared queries"
          columns={columns}
          rows={rows}
          keyOf={({ ID }) => ID}
          hrefOf={hrefOf}
          sort={sort}
        />
      )}
    </>
  )
}

function hrefOf({ ID }: QueryEntry): string {
  return pathTo('queries', ID)
}

function NoQueries(): JSX.Element {
  const definition = `{"Name": "stable-api", "Service": {"Service": "api", "Tags": ["!canary"]}}`
  return (
    <Empty title="There are no prepared queries">
      <p>
        A prepared query is a stored query for the instances of a service. Clients use its name,
        over DNS or HTTP, and you can change it without changing them. Define the first one:
      </p>
      <Command text={`echo '${definition}' | svcd query create -`} />
      <p>Then ask for it:</p>
      <Command text="dig @127.0.0.1 -p 8600 stable-api.query.consul" />
    </Empty>
  )
}

const columns: readonly Column<QueryEntry>[] = [
  {
    id: 'name',
    title: 'Name',
    width: 'minmax(140px, 1.2fr)',
    isSortable: true,
    cell: (row) => <Name text={queryTitle(row)} href={hrefOf(row)} />,
  },
  {
    id: 'service',
    title: 'Service',
    width: 'minmax(88px, 1fr)',
    isSortable: true,
    cell: ({ Service }) => <Name text={Service.Service} />,
  },
  {
    id: 'chooses',
    title: 'Chooses',
    width: 'minmax(200px, 3fr)',
    place: 'second-line',
    cell: (row) => <span title={choosesText(row)}>{choosesText(row)}</span>,
  },
  {
    id: 'ttl',
    title: 'TTL',
    width: '64px',
    place: 'wide',
    isNumber: true,
    cell: ({ DNS }) => DNS.TTL,
  },
]

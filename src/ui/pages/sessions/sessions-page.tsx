import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { SessionEntry } from '../../../client/rows.ts'
import { pathTo } from '../../core/route.ts'
import { endsBy, nanosecondsText } from '../../core/session.ts'
import { parseSort, sorted } from '../../core/sort.ts'
import type { Sort, SortKey } from '../../core/sort.ts'
import { counted } from '../../core/text.ts'
import { useFollowed } from '../../data/followed.ts'
import { parameters } from '../../data/location.ts'
import { useTimes } from '../../data/times.ts'
import { Command } from '../../parts/copy.tsx'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, FilteredNote, Waiting } from '../../parts/note.tsx'
import { Since } from '../../parts/since.tsx'

const defaultSort: Sort = { column: 'node', isDescending: false }

const sortKeys: Readonly<Record<string, (row: SessionEntry) => SortKey>> = {
  name: ({ Name: name }) => name.toLowerCase(),
  node: ({ Node }) => Node.toLowerCase(),
  age: ({ CreateIndex }) => -CreateIndex,
}

/** All sessions: whose they are, and what ends them. */
export function SessionsPage(): JSX.Element {
  const node = parameters.value.get('node') ?? ''
  const path = node === '' ? 'session/list' : `session/node/${encodeURIComponent(node)}`
  const { data, fault, isFiltered } = useFollowed<readonly SessionEntry[]>(path)
  const sort = parseSort(parameters.value.get('sort') ?? '', defaultSort)
  const key = sortKeys[sort.column] ?? sortKeys['node']
  const rows = useMemo(
    () => (key === undefined ? [] : sorted(data ?? [], key, sort.isDescending)),
    [data, key, sort.isDescending],
  )
  useTimes(rows.slice(0, 300).map(({ CreateIndex }) => CreateIndex))
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  return (
    <>
      <header class="page-head">
        <h1>Sessions and locks</h1>
        {node !== '' && (
          <p>
            on <Name text={node} /> <a href={pathTo('sessions')}>Show all</a>
          </p>
        )}
        <p class="count" role="status">
          {counted(rows.length, 'session')}
        </p>
      </header>
      <FilteredNote isFiltered={isFiltered} />
      {rows.length === 0 ? (
        <NoSessions />
      ) : (
        <Grid
          label="Sessions"
          columns={columns}
          rows={rows}
          keyOf={({ ID }) => ID}
          hrefOf={({ ID }) => pathTo('sessions', ID)}
          sort={sort}
        />
      )}
    </>
  )
}

function NoSessions(): JSX.Element {
  return (
    <Empty title="There are no sessions">
      <p>
        A program takes a lock on a key with a session. When the program dies, the session ends, and
        the lock is free. To run a command while you hold a lock:
      </p>
      <Command text={'svcd lock jobs/report \'echo "one at a time"\''} />
      <p>Or create a session over HTTP:</p>
      <Command
        text={`curl -X PUT ${window.location.origin}/v1/session/create -d '{"Name": "job", "TTL": "60s"}'`}
      />
    </Empty>
  )
}

const columns: readonly Column<SessionEntry>[] = [
  {
    id: 'name',
    title: 'Name',
    width: 'minmax(140px, 1.4fr)',
    isSortable: true,
    cell: ({ ID, Name: name }) => (
      <Name text={name === '' ? ID : name} href={pathTo('sessions', ID)} />
    ),
  },
  {
    id: 'node',
    title: 'Node',
    width: 'minmax(88px, 1fr)',
    isSortable: true,
    cell: ({ Node }) => <Name text={Node} href={pathTo('nodes', Node)} />,
  },
  {
    id: 'ends',
    title: 'Ends',
    width: 'minmax(160px, 2.4fr)',
    place: 'second-line',
    cell: (row) => <span title={endsBy(row)}>{endsBy(row)}</span>,
  },
  {
    id: 'behavior',
    title: 'Its keys are then',
    width: '128px',
    place: 'wide',
    cell: ({ Behavior }) => (Behavior === 'delete' ? 'deleted' : 'released'),
  },
  {
    id: 'delay',
    title: 'Lock-delay',
    width: '88px',
    place: 'wide',
    isNumber: true,
    cell: ({ LockDelay }) => nanosecondsText(LockDelay),
  },
  {
    id: 'age',
    title: 'Since',
    width: '64px',
    isSortable: true,
    isNumber: true,
    cell: ({ CreateIndex }) => <Since index={CreateIndex} />,
  },
]

import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { ServiceSummary } from '../../../client/rows.ts'
import { parseQuery } from '../../core/query.ts'
import { pathTo } from '../../core/route.ts'
import { parseSort } from '../../core/sort.ts'
import { counted, numberText } from '../../core/text.ts'
import { useChanged } from '../../data/changed.ts'
import { knownServices } from '../../data/known-values.ts'
import { useLiveRows } from '../../data/live.ts'
import { parameters } from '../../data/location.ts'
import { useTimes } from '../../data/times.ts'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Mark } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { Fault, FilteredNote, Waiting } from '../../parts/note.tsx'
import { screen } from '../../parts/screen.ts'
import { Tags } from '../../parts/tag.tsx'
import { Why } from '../../parts/why.tsx'
import { HealthSummary } from './health-summary.tsx'
import { NoServices, NothingFound, NothingVisible } from './no-services.tsx'
import { defaultSort, filtered, ordered, rowsOf, signatureOf, streamOf } from './service-rows.ts'
import type { ServiceRow } from './service-rows.ts'

/** Every service. Broken ones come first, with since when and why. */
export function ServicesPage(): JSX.Element {
  const query = parameters.value.get('q') ?? ''
  const { terms } = useMemo(() => parseQuery(query), [query])
  const live = useLiveRows<ServiceSummary>(streamOf(terms), ({ Name }) => [Name])
  const { fault, isFiltered, isDeny } = live
  // While another stream begins, because the query names a node, the rows of the last one stay.
  const last = useRef(live.data)
  if (live.data !== undefined) last.current = live.data
  const data = live.data ?? last.current
  const all = useMemo(() => rowsOf(data ?? []), [data])
  const sort = parseSort(parameters.value.get('sort') ?? '', defaultSort)
  // Ordered first: a key in the query box then only filters.
  const inOrder = useMemo(() => ordered(all, sort), [all, sort.column, sort.isDescending])
  const rows = useMemo(() => filtered(inOrder, terms), [inOrder, terms])
  const changed = useChanged(data, nameOf, signatureOf)
  // The search box completes the names and tags of the list.
  useEffect(() => {
    knownServices.value = data ?? []
  }, [data])
  useTimes(rows.slice(0, 300).map(({ summary }) => summary.Reason?.ModifyIndex ?? 0))
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  const isHidden = isDeny && query === '' && all.length === 0
  const isFirstRun =
    !isHidden && query === '' && all.every(({ summary }) => summary.Name === 'consul')
  return (
    <>
      <header class="page-head">
        <h1>Services</h1>
        <HealthSummary rows={all} />
        <p class="count" role="status">
          {rows.length === all.length
            ? counted(all.length, 'service')
            : `${counted(rows.length, 'service')} of ${numberText(all.length)}`}
        </p>
      </header>
      <FilteredNote isFiltered={isFiltered} />
      {rows.length > 0 && (
        <Grid
          label="Services"
          columns={columnsFor(query)}
          rows={rows}
          keyOf={keyOf}
          hrefOf={hrefOf}
          sort={sort}
          changed={changed}
        />
      )}
      {isFirstRun && <NoServices />}
      {isHidden && <NothingVisible />}
      {rows.length === 0 && !isFirstRun && !isHidden && (
        <NothingFound query={query} what="service" />
      )}
    </>
  )
}

function nameOf({ Name }: ServiceSummary): string {
  return Name
}

function keyOf({ summary }: ServiceRow): string {
  return summary.Name
}

function hrefOf({ summary }: ServiceRow): string {
  return pathTo('services', summary.Name)
}

/** `query`: a click on a tag adds it to this query. */
export function columnsFor(query: string): readonly Column<ServiceRow>[] {
  return [
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
      width: 'minmax(140px, 1.5fr)',
      isSortable: true,
      cell: (row) => <Name text={row.summary.Name} href={hrefOf(row)} />,
    },
    {
      id: 'instances',
      title: 'Passing',
      width: '92px',
      isSortable: true,
      isNumber: true,
      cell: passing,
    },
    { id: 'why', title: 'Why', width: 'minmax(200px, 5fr)', place: 'second-line', cell: why },
    {
      id: 'tags',
      title: 'Tags',
      width: 'minmax(120px, 2fr)',
      place: 'wide',
      cell: ({ summary }) => <Tags tags={summary.Tags} query={query} />,
    },
  ]
}

function passing({ summary, total }: ServiceRow): JSX.Element {
  return (
    <span title={`${summary.Passing} of ${counted(total, 'instance')} passing`}>
      <strong>{summary.Passing}</strong>
      <span class="muted"> / {total}</span>
    </span>
  )
}

/** The check that decides about the worst instance. On phones a row without one has its tags there. */
function why({ summary, health }: ServiceRow): JSX.Element | string {
  const { Reason } = summary
  if (Reason === null || Reason === undefined) {
    return screen.value === 'phone' && summary.Tags.length > 0 ? <Tags tags={summary.Tags} /> : ''
  }
  const { CheckID, Output, ModifyIndex, Node } = Reason
  return <Why health={health} checkId={CheckID} output={Output} index={ModifyIndex} node={Node} />
}

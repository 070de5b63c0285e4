import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { destinationOf, pairText, sourceOf } from '../../core/intentions.ts'
import type { IntentionRow } from '../../core/intentions.ts'
import { matcherOf } from '../../core/match.ts'
import { parseQuery } from '../../core/query.ts'
import { pathTo } from '../../core/route.ts'
import { parseSort, sorted } from '../../core/sort.ts'
import type { SortKey } from '../../core/sort.ts'
import { counted } from '../../core/text.ts'
import { useChanged } from '../../data/changed.ts'
import { useFetched } from '../../data/fetched.ts'
import { useLive } from '../../data/live.ts'
import { parameters } from '../../data/location.ts'
import { Command } from '../../parts/copy.tsx'
import { Grid } from '../../parts/grid.tsx'
import { Empty, Fault, FilteredNote, Waiting } from '../../parts/note.tsx'
import { NothingFound } from '../services/no-services.tsx'
import { columnsWith } from './columns.tsx'
import { Enforcement } from './enforcement.tsx'
import { CallTest } from './call-test.tsx'
import type { Checked } from './call-test.tsx'

export const intentionsStream = 'watch/intentions?stale='

/** Who may call whom, in the order in which it is decided, and a test of it. */
export function IntentionsPage(): JSX.Element {
  const query = parameters.value.get('q') ?? ''
  const { terms } = useMemo(() => parseQuery(query), [query])
  const { data, fault, isFiltered } = useLive<readonly IntentionRow[]>(intentionsStream)
  const found = useMemo(() => {
    const fits = matcherOf(terms)
    return (data ?? []).filter((row) => fits({ name: pairText(row), meta: row.Meta }))
  }, [data, terms])
  const sort = parseSort(parameters.value.get('sort') ?? '', {
    column: 'precedence',
    isDescending: true,
  })
  const rows = useMemo(() => {
    const key = keys[sort.column]
    return key === undefined ? found : sorted(found, key, sort.isDescending)
  }, [found, sort.column, sort.isDescending])
  const changed = useChanged(data, keyOf, ({ ModifyIndex }) => String(ModifyIndex))
  const checked = useFetched<Checked>(checkPath(), data)
  const decidingId = checked.data?.Intention?.ID
  const columns = useMemo(() => columnsWith(decidingId), [decidingId])
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  return (
    <>
      <header class="page-head">
        <h1>Intentions</h1>
        <p class="count" role="status">
          {found.length === data.length
            ? counted(data.length, 'intention')
            : `${counted(found.length, 'intention')} of ${data.length.toLocaleString('en')}`}
        </p>
        <a class="button primary" href={pathTo('intentions', 'new')}>
          New intention
        </a>
      </header>
      <Enforcement />
      <CallTest checked={checked} />
      <FilteredNote isFiltered={isFiltered} />
      {rows.length > 0 && (
        <Grid
          label="Intentions"
          columns={columns}
          rows={rows}
          keyOf={keyOf}
          hrefOf={hrefOf}
          sort={sort}
          changed={changed}
        />
      )}
      {data.length === 0 && (
        <Empty title={isFiltered ? 'No intention is visible' : 'No intentions yet'}>
          <p>
            An intention says whether one service may call another. Without any, the default policy
            of access control decides for all. This command creates the first one:
          </p>
          <Command text="svcd intention create web db" />
        </Empty>
      )}
      {data.length > 0 && rows.length === 0 && <NothingFound query={query} what="intention" />}
    </>
  )
}

/** What the URL asks for; undefined: nothing. */
function checkPath(): string | undefined {
  const source = parameters.value.get('source') ?? ''
  const destination = parameters.value.get('destination') ?? ''
  if (source === '' || destination === '') return undefined
  const search = new URLSearchParams({ source, destination, explain: '', stale: '' })
  return `connect/intentions/check?${search.toString()}`
}

const keys: Readonly<Record<string, (row: IntentionRow) => SortKey>> = {
  action: ({ Action }) => Action,
  source: (row) => sourceOf(row).toLowerCase(),
  destination: (row) => destinationOf(row).toLowerCase(),
  precedence: ({ Precedence }) => Precedence,
  updated: ({ UpdatedAt }) => UpdatedAt,
}

function keyOf({ ID }: IntentionRow): string {
  return ID
}

function hrefOf({ ID }: IntentionRow): string {
  return pathTo('intentions', ID)
}

import type { JSX } from 'preact'
import type { QueryEntry } from '../../../client/rows.ts'
import { pathTo } from '../../core/route.ts'
import { shellWord } from '../../core/shell-word.ts'
import { visibleText } from '../../core/text.ts'
import { send } from '../../data/api.ts'
import { useFollowed } from '../../data/followed.ts'
import { navigate } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { Confirm } from '../../parts/confirm.tsx'
import { Command, Copy } from '../../parts/copy.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { Trail } from '../../parts/trail.tsx'
import { QueryResultView } from './query-result.tsx'
import { choosesText, isTemplate, queryTitle } from './query-text.ts'

/** One prepared query: the instances that it chooses now, and its definition. */
export function QueryPage({ id }: { readonly id: string }): JSX.Element {
  const { data, fault } = useFollowed<readonly QueryEntry[]>(`query/${encodeURIComponent(id)}`)
  const query = data?.[0]
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  if (query === undefined) return <Gone id={id} />
  return (
    <>
      <header class="page-head">
        <Trail>
          <a href={pathTo('queries')}>Prepared queries</a>
        </Trail>
        <h1>
          <Name text={queryTitle(query)} />
        </h1>
        <div class="actions">
          <Delete query={query} />
        </div>
        <p class="verdict">
          <Name text={query.Service.Service} href={serviceHref(query)} />
          <span>{choosesText(query)}</span>
        </p>
      </header>
      <Tabs
        label={`About ${queryTitle(query)}`}
        rows={[
          { id: 'result', title: 'Result', content: () => <QueryResultView query={query} /> },
          { id: 'definition', title: 'Definition', content: () => <Definition query={query} /> },
        ]}
      />
    </>
  )
}

/** The service of a template depends on the name that is asked for. */
function serviceHref({ Service }: QueryEntry): string | undefined {
  return Service.Service.includes('${') ? undefined : pathTo('services', Service.Service)
}

function Definition({ query }: { readonly query: QueryEntry }): JSX.Element {
  const text = JSON.stringify(query, undefined, 2)
  return (
    <div class="stack">
      <div class="value">
        <div class="value-bar">
          <span class="muted">As the API returns it</span>
          <Copy text={text} what="the definition" />
        </div>
        <pre tabIndex={0} aria-label="Definition">
          {visibleText(text)}
        </pre>
      </div>
      <p>To change it, store another definition under the same ID:</p>
      <Command text={`svcd query update ${shellWord(query.ID)} definition.json`} />
    </div>
  )
}

function Delete({ query }: { readonly query: QueryEntry }): JSX.Element {
  return (
    <Confirm
      right={may('query', 'write', query.Name)}
      label="Delete…"
      title="Delete this query?"
      verb="Delete"
      onConfirm={async () => {
        await send(`query/${query.ID}`, undefined, { method: 'DELETE' })
        navigate(pathTo('queries'))
      }}
    >
      <p>
        {isTemplate(query)
          ? 'Names that only this template answers for get NXDOMAIN.'
          : `Clients that ask for ${visibleText(queryTitle(query))}.query.consul get NXDOMAIN.`}{' '}
        To restore it, copy its definition first.
      </p>
    </Confirm>
  )
}

function Gone({ id }: { readonly id: string }): JSX.Element {
  return (
    <Empty isPage title="There is no such query">
      <p>
        <Name text={id} /> is not the ID of a prepared query that this token may read.
      </p>
      <p>
        <a href={pathTo('queries')}>Show all queries</a>
      </p>
    </Empty>
  )
}

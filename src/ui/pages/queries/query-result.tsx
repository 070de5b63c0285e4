import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import type { QueryEntry, QueryResult } from '../../../client/rows.ts'
import { healthRank, instanceHealth } from '../../core/health.ts'
import { shellWord } from '../../core/shell-word.ts'
import { sorted } from '../../core/sort.ts'
import { counted, visibleText } from '../../core/text.ts'
import type { ApiFault } from '../../data/api.ts'
import { useFetched } from '../../data/fetched.ts'
import { Command } from '../../parts/copy.tsx'
import { InstanceGrid } from '../service/instance-grid.tsx'
import { isTemplate } from './query-text.ts'

/** What a query chooses now. A template needs the name that a client would use. */
export function QueryResultView({ query }: { readonly query: QueryEntry }): JSX.Element {
  const { ID, Name: own, ModifyIndex } = query
  const [typed, setTyped] = useState(own)
  const [version, setVersion] = useState(0)
  const isOpen = isTemplate(query) && typed.trim() === own
  const name = isOpen ? '' : isTemplate(query) ? typed.trim() : own === '' ? ID : own
  const asked = name === '' ? undefined : `query/${encodeURIComponent(name)}`
  const now = `${version} ${ModifyIndex}`
  const result = useFetched<QueryResult>(asked && `${asked}/execute?stale`, now)
  return (
    <>
      <div class="query-bar">
        {isTemplate(query) && (
          <label class="field">
            <span>A name that a client asks for</span>
            <input
              type="text"
              autocomplete="off"
              spellcheck={false}
              value={typed}
              onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            />
          </label>
        )}
        <button type="button" onClick={() => setVersion(version + 1)}>
          Execute again
        </button>
        <span class="muted" role="status">
          {isOpen || result.data === undefined ? '' : counted(result.data.Nodes.length, 'instance')}
        </span>
      </div>
      {isOpen && (
        <p class="note">
          This is a template. Type a name {own !== '' && `that begins with ${visibleText(own)}`}, as
          a client would.
        </p>
      )}
      {!isOpen && result.fault !== undefined && <Refused fault={result.fault} />}
      {!isOpen && result.data !== undefined && result.fault === undefined && (
        <Chosen result={result.data} />
      )}
      <div class="stack">
        {isTemplate(query) && asked !== undefined && <Explained path={asked} version={now} />}
        {name !== '' && <Command text={`svcd query execute ${shellWord(name)}`} />}
      </div>
    </>
  )
}

function Refused({ fault }: { readonly fault: ApiFault }): JSX.Element {
  return (
    <p class="note field-fault" role="alert">
      {visibleText(fault.message)}
    </p>
  )
}

function Chosen({ result }: { readonly result: QueryResult }): JSX.Element {
  const rows = useMemo(() => {
    const judged = result.Nodes.map((entry) => ({ entry, ...instanceHealth(entry) }))
    return sorted(judged, ({ health }) => healthRank[health], false)
  }, [result])
  if (rows.length === 0) {
    return (
      <p class="note">
        No instance of the service {visibleText(result.Service)} matches, so clients get NXDOMAIN.
      </p>
    )
  }
  return <InstanceGrid rows={rows} />
}

/** The query with the name filled in. */
function Explained({
  path,
  version,
}: {
  readonly path: string
  readonly version: string
}): JSX.Element | null {
  const { data } = useFetched<{ readonly Query: QueryEntry }>(`${path}/explain?stale`, version)
  if (data === undefined) return null
  const { Service } = data.Query
  return (
    <div>
      <h2>With this name it asks for</h2>
      <pre tabIndex={0} aria-label="The query with the name filled in">
        {visibleText(JSON.stringify(Service, undefined, 2))}
      </pre>
    </div>
  )
}

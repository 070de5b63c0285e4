import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { placeIn, snippets } from '../../core/snippets.ts'
import { visibleText } from '../../core/text.ts'
import { apiPath } from '../../data/api.ts'
import { useFetched } from '../../data/fetched.ts'
import { Command, Copy } from '../../parts/copy.tsx'
import { Waiting } from '../../parts/note.tsx'
import type { DnsAnswer } from './dig-text.ts'

/** How to find the service from a program, with the DNS server of this agent. */
export function Usage({ service }: { readonly service: string }): JSX.Element {
  const { data, fault } = useFetched<DnsAnswer>(apiPath('dns/service/', service, { type: 'SRV' }))
  const [chosen, setChosen] = useState('shell')
  const http = `curl '${window.location.origin}/v1/health/service/${encodeURIComponent(service)}?passing'`
  const place = data === undefined ? undefined : placeIn(data.Command)
  if (data === undefined && fault === undefined) return <Waiting />
  if (place === undefined) {
    return (
      <div class="stack">
        <p class="said">
          {fault === undefined
            ? 'Few programs can ask DNS for a name with these characters. Ask over HTTP:'
            : visibleText(fault.message)}
        </p>
        <Command text={http} />
      </div>
    )
  }
  const rows = snippets(place)
  const row = rows.find(({ id }) => id === chosen) ?? rows[0]
  return (
    <div class="stack usage">
      <p class="muted">
        Each program prints address and port of every healthy instance. If the machine forwards{' '}
        <code>*.consul</code> to svcd, leave out the address of the DNS server.
      </p>
      <div class="segments" role="group" aria-label="Language">
        {rows.map(({ id, title }) => (
          <label key={id}>
            <input
              type="radio"
              name="language"
              checked={id === row?.id}
              onChange={() => setChosen(id)}
            />
            <span>{title}</span>
          </label>
        ))}
      </div>
      {row !== undefined && (
        <section class="answer" aria-label={row.title}>
          <header>
            <span class="muted">needs {row.needs}</span>
            <Copy text={`${row.text}\n`} what="the program" />
          </header>
          <pre tabIndex={0} aria-label={`Program in ${row.title}`}>
            {row.text}
          </pre>
        </section>
      )}
      <p class="muted">Over HTTP:</p>
      <Command text={http} />
    </div>
  )
}

import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { EventEntry } from '../../../client/rows.ts'
import { counted, firstLine } from '../../core/text.ts'
import { bytesOfBase64, sizeText, textOfBytes } from '../../core/value.ts'
import { useChanged } from '../../data/changed.ts'
import { useFetched } from '../../data/fetched.ts'
import { useLive } from '../../data/live.ts'
import { may } from '../../data/rights.ts'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { FireForm } from './fire-form.tsx'

/** Without it, the agent lists only the events for itself. */
const forAll = 'node=.'

/** The last events, the newest first, and a form that fires one. */
export function EventsPage(): JSX.Element {
  const live = useLive<readonly EventEntry[]>(`watch/event?${forAll}`)
  // The stream sends only what is new, and the list is the state.
  const { data, fault } = useFetched<readonly EventEntry[]>(`event/list?${forAll}`, live.data)
  const rows = useMemo(() => (data ?? []).toReversed(), [data])
  const changed = useChanged(data, idOf, idOf)
  const wrong = live.fault ?? (data === undefined ? fault : undefined)
  return (
    <>
      <header class="page-head">
        <h1>Events</h1>
        <p class="count" role="status">
          {data === undefined ? '' : counted(rows.length, 'event')}
        </p>
      </header>
      <div class="events">
        <section aria-label="The last events">
          {wrong !== undefined && <Fault fault={wrong} />}
          {wrong === undefined && data === undefined && <Waiting />}
          {data !== undefined && rows.length === 0 && <NoEvents />}
          {rows.length > 0 && (
            <Grid label="Events" columns={columns} rows={rows} keyOf={idOf} changed={changed} />
          )}
        </section>
        <FireForm right={may('event', 'write')} />
      </div>
    </>
  )
}

function idOf({ ID }: EventEntry): string {
  return ID
}

function NoEvents(): JSX.Element {
  return (
    <Empty title="No event was fired yet">
      <p>
        An event is a short message to programs on all machines. This page will show the last 256
        events, as soon as they are fired.
      </p>
    </Empty>
  )
}

/** For which agents an event is. */
function targetText({ NodeFilter, ServiceFilter, TagFilter }: EventEntry): string {
  const parts = [
    NodeFilter === '' ? '' : `nodes ${NodeFilter}`,
    ServiceFilter === '' ? '' : `service ${ServiceFilter}`,
    TagFilter === '' ? '' : `tag ${TagFilter}`,
  ].filter((text) => text !== '')
  return parts.length === 0 ? 'all agents' : parts.join(', ')
}

function payloadOf({ Payload }: EventEntry): JSX.Element | string {
  const bytes = bytesOfBase64(Payload ?? '') ?? new Uint8Array()
  if (bytes.length === 0) return ''
  const text = textOfBytes(bytes)
  return text === undefined ? (
    <span class="muted">{sizeText(bytes.length)} of binary data</span>
  ) : (
    <Name text={firstLine(text, 400)} />
  )
}

const columns: readonly Column<EventEntry>[] = [
  {
    id: 'order',
    title: 'Order',
    width: '52px',
    isNumber: true,
    cell: ({ LTime }) => <span class="muted">{LTime}</span>,
  },
  {
    id: 'event',
    title: 'Event',
    width: 'minmax(100px, 1fr)',
    cell: ({ Name: name, ID }) => (
      <span title={ID}>
        <Name text={name} />
      </span>
    ),
  },
  {
    id: 'payload',
    title: 'Payload',
    width: 'minmax(120px, 2fr)',
    place: 'second-line',
    cell: payloadOf,
  },
  {
    id: 'for',
    title: 'For',
    width: 'minmax(100px, 1.4fr)',
    cell: (row) => <Name text={targetText(row)} />,
  },
]

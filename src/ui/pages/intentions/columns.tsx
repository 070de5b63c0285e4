import type { JSX } from 'preact'
import { destinationOf, sourceOf } from '../../core/intentions.ts'
import type { IntentionRow } from '../../core/intentions.ts'
import { pathTo } from '../../core/route.ts'
import { firstLine } from '../../core/text.ts'
import { agoText, exactText } from '../../core/time-text.ts'
import { nowMs } from '../../data/clock.ts'
import { isUtc } from '../../data/preferences.ts'
import type { Column } from '../../parts/grid.tsx'
import { Status } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'

/** The columns of the list. `decidingId`: the row that decides what was tested. */
export function columnsWith(decidingId: string | undefined): readonly Column<IntentionRow>[] {
  return [
    {
      id: 'action',
      title: 'Action',
      width: '64px',
      isSortable: true,
      cell: ({ Action }) => <ActionMark action={Action} />,
    },
    {
      id: 'source',
      title: 'Source',
      width: 'minmax(84px, 2fr)',
      isSortable: true,
      cell: (row) => <Service text={sourceOf(row)} href={pathTo('intentions', row.ID)} />,
    },
    {
      id: 'destination',
      title: 'Destination',
      width: 'minmax(84px, 2fr)',
      isSortable: true,
      cell: (row) => (
        <span class="called">
          <span class="muted" aria-hidden="true">
            →
          </span>
          <Service text={destinationOf(row)} />
        </span>
      ),
    },
    {
      id: 'description',
      title: 'Description',
      width: 'minmax(140px, 3fr)',
      place: 'second-line',
      cell: (row) => description(row, row.ID === decidingId),
    },
    {
      id: 'precedence',
      title: 'Precedence',
      width: '88px',
      isSortable: true,
      isNumber: true,
      place: 'wide',
      cell: ({ Precedence }) => String(Precedence),
    },
    {
      id: 'updated',
      title: 'Updated',
      width: '80px',
      isSortable: true,
      isNumber: true,
      place: 'wide',
      cell: ({ UpdatedAt }) => <At text={UpdatedAt} />,
    },
  ]
}

function ActionMark({ action }: { readonly action: string }): JSX.Element {
  return action === 'allow' ? (
    <Status health="passing" text="allow" />
  ) : (
    <Status health="critical" text="deny" />
  )
}

function Service({ text, href }: { readonly text: string; readonly href?: string }): JSX.Element {
  if (text !== '*') return <Name text={text} href={href} />
  const content = (
    <>
      all services <span class="muted">*</span>
    </>
  )
  return href === undefined ? <span>{content}</span> : <a href={href}>{content}</a>
}

function description({ Description }: IntentionRow, isDeciding: boolean): JSX.Element | string {
  const text = firstLine(Description)
  if (!isDeciding) {
    return text === '' ? (
      ''
    ) : (
      <span class="muted" title={text}>
        <bdi>{text}</bdi>
      </span>
    )
  }
  return (
    <span class="tags">
      <span class="tag">decides the test above</span>
      <bdi>{text}</bdi>
    </span>
  )
}

/** A time that the API wrote. */
export function At({ text }: { readonly text: string }): JSX.Element {
  const timeMs = Date.parse(text)
  return (
    <time class="since" dateTime={text} title={exactText(timeMs, isUtc.value)}>
      {agoText(nowMs.value - timeMs)}
    </time>
  )
}

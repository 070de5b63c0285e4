import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { draftOf, emptyDraft, pairText } from '../../core/intentions.ts'
import type { IntentionRow } from '../../core/intentions.ts'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import { send } from '../../data/api.ts'
import { useLive } from '../../data/live.ts'
import { navigate } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { Confirm } from '../../parts/confirm.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { Trail } from '../../parts/trail.tsx'
import { At } from './columns.tsx'
import { Enforcement } from './enforcement.tsx'
import { IntentionForm } from './intention-form.tsx'
import { intentionsStream } from './intentions-page.tsx'

export function NewIntentionPage(): JSX.Element {
  return (
    <>
      <Head title="New intention" />
      <Enforcement />
      <IntentionForm
        initial={emptyDraft}
        isNew
        onSave={async (body) => {
          await send('connect/intentions', undefined, { method: 'POST', body })
          navigate(pathTo('intentions'))
        }}
      />
    </>
  )
}

/** One intention: change it or delete it. */
export function IntentionPage({ id }: { readonly id: string }): JSX.Element {
  const { data, fault } = useLive<readonly IntentionRow[]>(intentionsStream)
  const row = data?.find(({ ID }) => ID === id)
  // The edited text stays while others change or delete the intention.
  const edited = useRef<IntentionRow | undefined>(undefined)
  const [version, setVersion] = useState(0)
  edited.current ??= row
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  const base = edited.current
  if (base === undefined) {
    return (
      <Empty isPage title="There is no such intention">
        <p>
          It was deleted, or the token may not read it.{' '}
          <a href={pathTo('intentions')}>Show all intentions</a>
        </p>
      </Empty>
    )
  }
  const showNew = (): void => {
    edited.current = row
    setVersion(version + 1)
  }
  return (
    <>
      <Head title={pairText(base)} isName />
      <Enforcement />
      {row === undefined && <Told text="This intention was deleted. Saving is not possible." />}
      {row !== undefined && row.ModifyIndex !== base.ModifyIndex && (
        <Told text="Somebody has changed this intention since you opened it.">
          <button type="button" class="link" onClick={showNew}>
            Show the new state
          </button>
        </Told>
      )}
      <IntentionForm
        key={version}
        initial={draftOf(base)}
        isGone={row === undefined}
        onSave={async (body) => {
          await send(pathOf(id), undefined, { method: 'PUT', body })
          navigate(pathTo('intentions'))
        }}
      >
        <Delete row={base} />
      </IntentionForm>
      <section class="form">
        <FactList
          rows={[
            ['Precedence', `${base.Precedence}: of several rules, the highest decides`],
            ['Created', <At text={base.CreatedAt} />],
            ['Updated', <At text={row?.UpdatedAt ?? base.UpdatedAt} />],
            ['ID', <Name text={base.ID} />],
          ]}
        />
      </section>
    </>
  )
}

function pathOf(id: string): string {
  return `connect/intentions/${encodeURIComponent(id)}`
}

function Head({
  title,
  isName = false,
}: {
  readonly title: string
  readonly isName?: boolean
}): JSX.Element {
  return (
    <header class="page-head">
      <Trail>
        <a href={pathTo('intentions')}>Intentions</a>
      </Trail>
      <h1>{isName ? <Name text={title} /> : title}</h1>
    </header>
  )
}

function Told({
  text,
  children,
}: {
  readonly text: string
  readonly children?: JSX.Element
}): JSX.Element {
  return (
    <p class="note warning-text" role="status">
      {text} {children}
    </p>
  )
}

function Delete({ row }: { readonly row: IntentionRow }): JSX.Element {
  return (
    <Confirm
      right={may('intention', 'write', row.DestinationName)}
      label="Delete…"
      title="Delete this intention?"
      verb="Delete"
      onConfirm={async () => {
        await send(pathOf(row.ID), undefined, { method: 'DELETE' })
        navigate(pathTo('intentions'))
      }}
    >
      <p>
        Without <strong>{visibleText(pairText(row))}</strong>, the intention with the next lower
        precedence decides, or else the default policy. Whoever enforces the rules follows at their
        next look.
      </p>
    </Confirm>
  )
}

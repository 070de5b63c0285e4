import type { JSX } from 'preact'
import type { SessionEntry } from '../../../client/rows.ts'
import { pathTo, withParameters } from '../../core/route.ts'
import { checksOf, endsBy, isTimed, nanosecondsText } from '../../core/session.ts'
import { send } from '../../data/api.ts'
import { useFollowed } from '../../data/followed.ts'
import { may } from '../../data/rights.ts'
import { timeOf, useTimes } from '../../data/times.ts'
import { Confirm } from '../../parts/confirm.tsx'
import { Copy } from '../../parts/copy.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { Since } from '../../parts/since.tsx'
import { Trail } from '../../parts/trail.tsx'
import { HeldKeys } from './held-keys.tsx'

/** One session: its end, its locks, and a button that destroys it. */
export function SessionPage({ id }: { readonly id: string }): JSX.Element {
  const path = `session/info/${encodeURIComponent(id)}`
  const { data, fault } = useFollowed<readonly SessionEntry[]>(path)
  const session = data?.[0]
  useTimes(session === undefined ? [] : [session.CreateIndex])
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  if (session === undefined) return <Ended id={id} />
  return (
    <>
      <header class="page-head">
        <Trail>
          <a href={pathTo('sessions')}>Sessions and locks</a>
        </Trail>
        <h1>
          <Name text={session.Name === '' ? session.ID : session.Name} />
        </h1>
        <div class="actions">
          <Destroy session={session} />
        </div>
        <p class="verdict">
          <span>
            on <Name text={session.Node} href={pathTo('nodes', session.Node)} />
          </span>
          <span>ends {endsBy(session)}</span>
        </p>
      </header>
      <div class="columns">
        <section class="main">
          <h2>Locks that it holds</h2>
          <HeldKeys id={session.ID} />
        </section>
        <section>
          <h2>Session</h2>
          <SessionFacts session={session} />
        </section>
      </div>
    </>
  )
}

function SessionFacts({ session }: { readonly session: SessionEntry }): JSX.Element {
  const { ID, Node, TTL, Behavior, LockDelay, CreateIndex } = session
  const checks = checksOf(session)
  return (
    <FactList
      rows={[
        [
          'ID',
          <>
            <Name text={ID} /> <Copy text={ID} what="the ID" />
          </>,
        ],
        [
          'Node',
          <>
            <Name text={Node} href={pathTo('nodes', Node)} /> ·{' '}
            <a href={withParameters(pathTo('sessions'), { node: Node })}>all its sessions</a>
          </>,
        ],
        ['TTL', isTimed(TTL) ? TTL : 'none'],
        [
          'Checks',
          checks.length === 0 ? 'none' : checks.map((text) => <Name key={text} text={text} />),
        ],
        ['When it ends', Behavior === 'delete' ? 'its keys are deleted' : 'its keys are released'],
        ['Lock-delay', nanosecondsText(LockDelay)],
        ['Since', timeOf(CreateIndex) === undefined ? undefined : <Since index={CreateIndex} />],
      ]}
    />
  )
}

function Destroy({ session }: { readonly session: SessionEntry }): JSX.Element {
  const { ID, Name: name, Node, Behavior, LockDelay } = session
  return (
    <Confirm
      right={may('session', 'write', Node)}
      label="Destroy…"
      title="Destroy this session?"
      verb="Destroy"
      onConfirm={async () => {
        await send(`session/destroy/${ID}`, undefined, { method: 'PUT' })
      }}
    >
      <p>
        <Name text={name === '' ? ID : name} /> ends immediately. All keys that it holds are{' '}
        {Behavior === 'delete' ? 'deleted' : 'released'}.
        {LockDelay > 0 && ` No session can lock them for ${nanosecondsText(LockDelay)}.`} The
        program that created it loses its locks. You cannot undo this.
      </p>
    </Confirm>
  )
}

function Ended({ id }: { readonly id: string }): JSX.Element {
  return (
    <Empty isPage title="This session has ended">
      <p>
        <Name text={id} /> does not exist, or the token may not read it. A session does not come
        back.
      </p>
      <p>
        <a href={pathTo('sessions')}>Show all sessions</a>
      </p>
    </Empty>
  )
}

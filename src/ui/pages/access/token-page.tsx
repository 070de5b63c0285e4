import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { TokenEntry } from '../../../client/acl-rows.ts'
import { anonymousId, anonymousNote } from '../../core/access.ts'
import { pathTo } from '../../core/route.ts'
import { exactText } from '../../core/time-text.ts'
import { sendJson } from '../../data/api.ts'
import { navigate } from '../../data/location.ts'
import { isUtc } from '../../data/preferences.ts'
import { may } from '../../data/rights.ts'
import { Action, DeniedNote } from '../../parts/action.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { Copy } from '../../parts/copy.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Field } from '../../parts/field.tsx'
import { Name } from '../../parts/name.tsx'
import { Waiting } from '../../parts/note.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { noteChange, useAcl } from './access-data.ts'
import { Gate } from './gate.tsx'
import { GoneOrFault } from './gone.tsx'
import { GrantList } from './grant-list.tsx'
import { Rights } from './rights.tsx'
import { SecretOnce } from './secret-once.tsx'
import { Expiry, titleOf } from './token-list.tsx'
import { Head, listOf } from './trail.tsx'

/** One token with its rights. */
export function TokenPage({ id }: { readonly id: string }): JSX.Element {
  return (
    <Gate>
      <OneToken id={id} />
    </Gate>
  )
}

function OneToken({ id }: { readonly id: string }): JSX.Element {
  const { data, fault } = useAcl<TokenEntry>(`acl/token/${encodeURIComponent(id)}`)
  const [clone, setClone] = useState<TokenEntry>()
  if (clone !== undefined) return <SecretOnce token={clone} />
  if (fault !== undefined) return <GoneOrFault fault={fault} tab="tokens" what="token" />
  if (data === undefined) return <Waiting />
  return (
    <>
      <Head tab="tokens" title={<Name text={titleOf(data)} />}>
        <div class="actions">
          <Action right={may('acl', 'write')} href={pathTo('access', 'tokens', id, 'edit')}>
            Edit
          </Action>
          <Clone token={data} onDone={setClone} />
          {data.AccessorID !== anonymousId && <Delete token={data} />}
        </div>
      </Head>
      <DeniedNote right={may('acl', 'write')} />
      {data.AccessorID === anonymousId && <p class="note">{anonymousNote}</p>}
      <Tabs
        label="About the token"
        rows={[
          {
            id: 'rights',
            title: 'Rights',
            content: () => <Rights accessor={data.AccessorID} />,
          },
          { id: 'facts', title: 'Details', content: () => <Facts token={data} /> },
        ]}
      />
    </>
  )
}

function Facts({ token }: { readonly token: TokenEntry }): JSX.Element {
  const { AccessorID, Description, ExpirationTime, CreateTime, Local } = token
  return (
    <FactList
      rows={[
        ['Description', Description === '' ? undefined : <Name text={Description} />],
        [
          'Accessor ID',
          <>
            <Name text={AccessorID} /> <Copy text={AccessorID} what="the accessor ID" />
          </>,
        ],
        ['Secret', <span class="muted">only its hash is stored</span>],
        ['Grants', <GrantList grants={token} />],
        [
          'Expires',
          ExpirationTime === undefined ? (
            'never'
          ) : (
            <>
              <Expiry time={ExpirationTime} />, at {timeText(ExpirationTime)}
            </>
          ),
        ],
        ['Counts', Local ? 'in this datacenter only' : 'in all datacenters'],
        ['Created', timeText(CreateTime)],
      ]}
    />
  )
}

function timeText(text: string | undefined): string {
  const ms = Date.parse(text ?? '')
  return ms > 0 ? exactText(ms, isUtc.value) : 'not known'
}

/** Creates a token with the same rights. */
function Clone({
  token,
  onDone,
}: {
  readonly token: TokenEntry
  readonly onDone: (made: TokenEntry) => void
}): JSX.Element {
  const [text, setText] = useState(`Copy of ${titleOf(token)}`)
  return (
    <Confirm
      right={may('acl', 'write')}
      label="Clone…"
      title="Create a token with the same rights"
      verb="Create token"
      kind="primary"
      onConfirm={async () => {
        const path = `acl/token/${encodeURIComponent(token.AccessorID)}/clone`
        const made = await sendJson<TokenEntry>('PUT', path, { Description: text })
        noteChange()
        onDone(made)
      }}
    >
      <p>
        The new token has the same policies, roles and identities, a secret of its own
        {token.ExpirationTime === undefined ? '.' : ', and expires at the same time.'}
      </p>
      <Field label="Description" value={text} onChange={setText} />
    </Confirm>
  )
}

function Delete({ token }: { readonly token: TokenEntry }): JSX.Element {
  return (
    <Confirm
      right={may('acl', 'write')}
      label="Delete…"
      title="Delete this token?"
      verb="Delete token"
      onConfirm={async () => {
        await sendJson('DELETE', `acl/token/${encodeURIComponent(token.AccessorID)}`)
        noteChange()
        navigate(listOf('tokens'))
      }}
    >
      <p>
        Every program that sends the secret of <Name text={titleOf(token)} /> is refused from now
        on, at all servers. Its open streams end. The secret cannot be restored.
      </p>
      <p class="muted">
        Accessor ID: <Name text={token.AccessorID} />
      </p>
    </Confirm>
  )
}

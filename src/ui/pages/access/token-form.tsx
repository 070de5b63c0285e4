import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { TokenEntry } from '../../../client/acl-rows.ts'
import { anonymousId, anonymousNote } from '../../core/access.ts'
import { pathTo } from '../../core/route.ts'
import { sendJson } from '../../data/api.ts'
import { navigate } from '../../data/location.ts'
import { Field } from '../../parts/field.tsx'
import { Waiting } from '../../parts/note.tsx'
import { noteChange, useAcl } from './access-data.ts'
import { AccessForm } from './form.tsx'
import { Gate } from './gate.tsx'
import { GoneOrFault } from './gone.tsx'
import {
  grantsBody,
  GrantsForm,
  namesOf,
  noGrants,
  rolesBody,
  useDatacenter,
} from './grants-form.tsx'
import { SecretOnce } from './secret-once.tsx'
import { titleOf } from './token-list.tsx'
import { Head, listOf } from './trail.tsx'

/** Creates a token, and shows its secret once. */
export function NewTokenPage(): JSX.Element {
  const [made, setMade] = useState<TokenEntry>()
  if (made !== undefined) return <SecretOnce token={made} />
  return (
    <Gate>
      <Head tab="tokens" title="Create a token" />
      <NewToken onMade={setMade} />
    </Gate>
  )
}

function NewToken({ onMade }: { readonly onMade: (made: TokenEntry) => void }): JSX.Element {
  const [text, setText] = useState('')
  const [names, setNames] = useState(noGrants)
  const [ttl, setTtl] = useState('')
  const [isLocal, setLocal] = useState(false)
  const datacenter = useDatacenter()
  const save = async (): Promise<void> => {
    const token = await sendJson<TokenEntry>('PUT', 'acl/token', {
      Description: text,
      ...grantsBody(names, {}, datacenter),
      Roles: rolesBody(names),
      Local: isLocal,
      ...(ttl.trim() === '' ? {} : { ExpirationTTL: ttl.trim() }),
    })
    noteChange()
    onMade(token)
  }
  return (
    <AccessForm
      label="Create a token"
      verb="Create token"
      cancelHref={listOf('tokens')}
      onSave={save}
    >
      <Field
        label="Description"
        hint="Who uses it, and where: it is the only name of a token."
        value={text}
        onChange={setText}
        placeholder="shop on n1"
      />
      <GrantsForm names={names} onChange={setNames} hasRoles />
      <Field
        label="Expires after"
        hint="From 1m to 24h. Empty: it never expires."
        value={ttl}
        onChange={setTtl}
        options={['15m', '1h', '8h', '24h']}
        placeholder="never"
      />
      <label class="check-box">
        <input
          type="checkbox"
          checked={isLocal}
          onChange={({ currentTarget }) => setLocal(currentTarget.checked)}
        />
        <span>Only for this datacenter</span>
      </label>
    </AccessForm>
  )
}

/** Changes a token. Its secret and its expiry stay. */
export function EditTokenPage({ id }: { readonly id: string }): JSX.Element {
  return (
    <Gate>
      <LoadedToken id={id} />
    </Gate>
  )
}

function LoadedToken({ id }: { readonly id: string }): JSX.Element {
  const { data, fault } = useAcl<TokenEntry>(`acl/token/${encodeURIComponent(id)}`)
  const [first, setFirst] = useState<TokenEntry>()
  if (first !== undefined) return <EditToken before={first} />
  if (fault !== undefined) return <GoneOrFault fault={fault} tab="tokens" what="token" />
  if (data !== undefined) setFirst(data)
  return <Waiting />
}

function EditToken({ before }: { readonly before: TokenEntry }): JSX.Element {
  const { AccessorID, Local } = before
  const [text, setText] = useState(before.Description)
  const [names, setNames] = useState(namesOf(before))
  const datacenter = useDatacenter()
  const href = pathTo('access', 'tokens', AccessorID)
  const save = async (): Promise<void> => {
    await sendJson('PUT', `acl/token/${AccessorID}`, {
      AccessorID,
      Description: text,
      ...grantsBody(names, before, datacenter),
      Roles: rolesBody(names),
      Local,
    })
    noteChange()
    navigate(href)
  }
  return (
    <>
      <Head tab="tokens" title="Edit the token" parent={[titleOf(before), href]} />
      {AccessorID === anonymousId && <p class="note">{anonymousNote}</p>}
      <AccessForm label="Edit the token" verb="Save" cancelHref={href} onSave={save}>
        <Field label="Description" value={text} onChange={setText} />
        <GrantsForm names={names} onChange={setNames} hasRoles />
        <p class="muted">
          The secret, the expiry and the datacenters of a token cannot be changed. The new rights
          count for the next request of each program that uses it.
        </p>
      </AccessForm>
    </>
  )
}

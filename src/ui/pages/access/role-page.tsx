import type { JSX } from 'preact'
import type { RoleEntry } from '../../../client/acl-rows.ts'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import { sendJson } from '../../data/api.ts'
import { navigate } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { Action, DeniedNote } from '../../parts/action.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Name } from '../../parts/name.tsx'
import { Waiting } from '../../parts/note.tsx'
import { noteChange, useAcl } from './access-data.ts'
import { Gate } from './gate.tsx'
import { GoneOrFault } from './gone.tsx'
import { GrantList } from './grant-list.tsx'
import { Head, listOf } from './trail.tsx'
import { UsedBy, usersText, useUsers } from './used-by.tsx'

/** One role with its grants, and who has it. */
export function RolePage({ id }: { readonly id: string }): JSX.Element {
  return (
    <Gate>
      <OneRole id={id} />
    </Gate>
  )
}

function OneRole({ id }: { readonly id: string }): JSX.Element {
  const { data, fault } = useAcl<RoleEntry>(`acl/role/${encodeURIComponent(id)}`)
  const users = useUsers('role', id)
  if (fault !== undefined) return <GoneOrFault fault={fault} tab="roles" what="role" />
  if (data === undefined) return <Waiting />
  return (
    <>
      <Head tab="roles" title={<Name text={data.Name} />}>
        <div class="actions">
          <Action right={may('acl', 'write')} href={pathTo('access', 'roles', id, 'edit')}>
            Edit
          </Action>
          <Delete role={data} used={users === undefined ? undefined : usersText(users)} />
        </div>
        {data.Description !== '' && <p class="verdict">{visibleText(data.Description)}</p>}
      </Head>
      <DeniedNote right={may('acl', 'write')} />
      <div class="columns">
        <section class="main">
          <h2>Grants</h2>
          <FactList
            rows={[
              ['Grants', <GrantList grants={data} />],
              ['ID', <Name text={data.ID} />],
            ]}
          />
        </section>
        <section>
          <h2>Used by</h2>
          {users === undefined ? <Waiting /> : <UsedBy users={users} />}
        </section>
      </div>
    </>
  )
}

function Delete({
  role,
  used,
}: {
  readonly role: RoleEntry
  readonly used: string | undefined
}): JSX.Element {
  return (
    <Confirm
      right={may('acl', 'write')}
      label="Delete…"
      title="Delete this role?"
      verb="Delete role"
      onConfirm={async () => {
        await sendJson('DELETE', `acl/role/${role.ID}`)
        noteChange()
        navigate(listOf('roles'))
      }}
    >
      <p>
        <Name text={role.Name} /> is used by{' '}
        <strong>{used ?? 'an unknown number of tokens'}</strong>. They lose its rights immediately.
      </p>
    </Confirm>
  )
}

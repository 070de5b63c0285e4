import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { RoleEntry } from '../../../client/acl-rows.ts'
import { pathTo } from '../../core/route.ts'
import { sendJson } from '../../data/api.ts'
import { navigate } from '../../data/location.ts'
import { Field } from '../../parts/field.tsx'
import { Waiting } from '../../parts/note.tsx'
import { noteChange, useAcl } from './access-data.ts'
import { AccessForm } from './form.tsx'
import { Gate } from './gate.tsx'
import { GoneOrFault } from './gone.tsx'
import { grantsBody, GrantsForm, namesOf, noGrants, useDatacenter } from './grants-form.tsx'
import { Head, listOf } from './trail.tsx'

/** Creates a role, or changes one. `id` undefined: creates. */
export function RoleFormPage({ id }: { readonly id: string | undefined }): JSX.Element {
  return <Gate>{id === undefined ? <RoleForm before={undefined} /> : <LoadedRole id={id} />}</Gate>
}

function LoadedRole({ id }: { readonly id: string }): JSX.Element {
  const { data, fault } = useAcl<RoleEntry>(`acl/role/${encodeURIComponent(id)}`)
  const [first, setFirst] = useState<RoleEntry>()
  if (first !== undefined) return <RoleForm before={first} />
  if (fault !== undefined) return <GoneOrFault fault={fault} tab="roles" what="role" />
  if (data !== undefined) setFirst(data)
  return <Waiting />
}

function RoleForm({ before }: { readonly before: RoleEntry | undefined }): JSX.Element {
  const [name, setName] = useState(before?.Name ?? '')
  const [text, setText] = useState(before?.Description ?? '')
  const [names, setNames] = useState(before === undefined ? noGrants : namesOf(before))
  const datacenter = useDatacenter()
  const isNew = before === undefined
  const save = async (): Promise<void> => {
    const { ID } = await sendJson<RoleEntry>('PUT', isNew ? 'acl/role' : `acl/role/${before.ID}`, {
      ...(isNew ? {} : { ID: before.ID }),
      Name: name.trim(),
      Description: text,
      ...grantsBody(names, before ?? {}, datacenter),
    })
    noteChange()
    navigate(page(ID))
  }
  const title = isNew ? 'Create a role' : 'Edit the role'
  return (
    <>
      <Head
        tab="roles"
        title={title}
        {...(isNew ? {} : { parent: [before.Name, page(before.ID)] as const })}
      />
      <AccessForm
        label={title}
        verb={isNew ? 'Create role' : 'Save'}
        cancelHref={isNew ? listOf('roles') : page(before.ID)}
        onSave={save}
      >
        <Field
          label="Name"
          hint="Letters, digits, - and _"
          value={name}
          onChange={setName}
          isMono
        />
        <Field label="Description" value={text} onChange={setText} />
        <GrantsForm names={names} onChange={setNames} hasRoles={false} />
      </AccessForm>
    </>
  )
}

function page(id: string): string {
  return pathTo('access', 'roles', id)
}

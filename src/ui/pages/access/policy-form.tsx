import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { PolicyEntry } from '../../../client/acl-rows.ts'
import { rulesFault } from '../../core/access.ts'
import type { RulesFault } from '../../core/access.ts'
import { pathTo } from '../../core/route.ts'
import { sendJson } from '../../data/api.ts'
import { navigate } from '../../data/location.ts'
import { Field } from '../../parts/field.tsx'
import { Waiting } from '../../parts/note.tsx'
import { noteChange, useAcl } from './access-data.ts'
import { AccessForm } from './form.tsx'
import { Gate } from './gate.tsx'
import { GoneOrFault } from './gone.tsx'
import { RulesEditor } from './rules-text.tsx'
import { Head, listOf } from './trail.tsx'

/** Creates a policy, or changes one. `id` undefined: creates. */
export function PolicyFormPage({ id }: { readonly id: string | undefined }): JSX.Element {
  return (
    <Gate>{id === undefined ? <PolicyForm before={undefined} /> : <LoadedPolicy id={id} />}</Gate>
  )
}

function LoadedPolicy({ id }: { readonly id: string }): JSX.Element {
  const { data, fault } = useAcl<PolicyEntry>(`acl/policy/${encodeURIComponent(id)}`)
  const [first, setFirst] = useState<PolicyEntry>()
  if (first !== undefined) return <PolicyForm before={first} />
  if (fault !== undefined) return <GoneOrFault fault={fault} tab="policies" what="policy" />
  if (data !== undefined) setFirst(data)
  return <Waiting />
}

function PolicyForm({ before }: { readonly before: PolicyEntry | undefined }): JSX.Element {
  const [name, setName] = useState(before?.Name ?? '')
  const [text, setText] = useState(before?.Description ?? '')
  const [rules, setRules] = useState(before?.Rules ?? '')
  const [wrong, setWrong] = useState<RulesFault>()
  const isNew = before === undefined
  const save = async (): Promise<void> => {
    const path = isNew ? 'acl/policy' : `acl/policy/${before.ID}`
    const { ID } = await sendJson<PolicyEntry>('PUT', path, {
      ...(isNew ? {} : { ID: before.ID, Datacenters: before.Datacenters ?? [] }),
      Name: name.trim(),
      Description: text,
      Rules: rules,
    })
    noteChange()
    navigate(page(ID))
  }
  const title = isNew ? 'Create a policy' : 'Edit the policy'
  return (
    <>
      <Head
        tab="policies"
        title={title}
        {...(isNew ? {} : { parent: [before.Name, page(before.ID)] as const })}
      />
      <AccessForm
        label={title}
        verb={isNew ? 'Create policy' : 'Save'}
        cancelHref={isNew ? listOf('policies') : page(before.ID)}
        onSave={save}
        isShown={({ message }) => rulesFault(message) !== undefined}
        onFault={(fault) => setWrong(fault === undefined ? undefined : rulesFault(fault.message))}
      >
        <Field
          label="Name"
          hint="Letters, digits, - and _"
          value={name}
          onChange={setName}
          isMono
          placeholder="shop-keys"
        />
        <Field label="Description" value={text} onChange={setText} />
        <RulesEditor
          rules={rules}
          fault={wrong}
          onChange={(next) => {
            setRules(next)
            setWrong(undefined)
          }}
        />
      </AccessForm>
    </>
  )
}

function page(id: string): string {
  return pathTo('access', 'policies', id)
}

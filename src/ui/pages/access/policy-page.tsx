import type { JSX } from 'preact'
import type { PolicyEntry } from '../../../client/acl-rows.ts'
import { builtInNote } from '../../core/access.ts'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import { sendJson } from '../../data/api.ts'
import { navigate, parameters } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { Action, DeniedNote } from '../../parts/action.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { Name } from '../../parts/name.tsx'
import { Waiting } from '../../parts/note.tsx'
import { noteChange, useAcl } from './access-data.ts'
import { Gate } from './gate.tsx'
import { GoneOrFault } from './gone.tsx'
import { RulesText } from './rules-text.tsx'
import { Head, listOf } from './trail.tsx'
import { UsedBy, usersText, useUsers } from './used-by.tsx'

/** One policy: its rules, and who has it. */
export function PolicyPage({ id }: { readonly id: string }): JSX.Element {
  return (
    <Gate>
      <OnePolicy id={id} />
    </Gate>
  )
}

function OnePolicy({ id }: { readonly id: string }): JSX.Element {
  const { data, fault } = useAcl<PolicyEntry>(`acl/policy/${encodeURIComponent(id)}`)
  const users = useUsers('policy', id)
  if (fault !== undefined) return <GoneOrFault fault={fault} tab="policies" what="policy" />
  if (data === undefined) return <Waiting />
  const note = builtInNote(id)
  const line = Number(parameters.value.get('line') ?? 0)
  return (
    <>
      <Head tab="policies" title={<Name text={data.Name} />}>
        {note === undefined && (
          <div class="actions">
            <Action right={may('acl', 'write')} href={pathTo('access', 'policies', id, 'edit')}>
              Edit
            </Action>
            <Delete policy={data} used={users === undefined ? undefined : usersText(users)} />
          </div>
        )}
        {data.Description !== '' && <p class="verdict">{visibleText(data.Description)}</p>}
      </Head>
      {note === undefined ? <DeniedNote right={may('acl', 'write')} /> : <p class="note">{note}</p>}
      <div class="columns">
        <section class="main">
          <h2>Rules</h2>
          <RulesText rules={data.Rules ?? ''} marked={line} />
        </section>
        <section>
          <h2>Used by</h2>
          {users === undefined ? <Waiting /> : <UsedBy users={users} />}
          {(data.Datacenters ?? []).length > 0 && (
            <p class="muted">
              Counts only in {(data.Datacenters ?? []).map(visibleText).join(', ')}.
            </p>
          )}
        </section>
      </div>
    </>
  )
}

function Delete({
  policy,
  used,
}: {
  readonly policy: PolicyEntry
  readonly used: string | undefined
}): JSX.Element {
  return (
    <Confirm
      right={may('acl', 'write')}
      label="Delete…"
      title="Delete this policy?"
      verb="Delete policy"
      onConfirm={async () => {
        await sendJson('DELETE', `acl/policy/${policy.ID}`)
        noteChange()
        navigate(listOf('policies'))
      }}
    >
      <p>
        <Name text={policy.Name} /> is used by{' '}
        <strong>{used ?? 'an unknown number of tokens'}</strong>. They lose its rights immediately.
        Rules with <code>deny</code> in it no longer deny anything.
      </p>
    </Confirm>
  )
}

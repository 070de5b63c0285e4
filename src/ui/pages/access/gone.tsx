import type { JSX } from 'preact'
import type { ApiFault } from '../../data/api.ts'
import { Empty, Fault } from '../../parts/note.tsx'
import { listOf } from './trail.tsx'

/** Why one of them cannot be shown. Most often it was deleted. */
export function GoneOrFault({
  fault,
  tab,
  what,
}: {
  readonly fault: ApiFault
  readonly tab: 'tokens' | 'policies' | 'roles'
  readonly what: string
}): JSX.Element {
  const isGone = fault.status === 404 || fault.message.startsWith('ACL not found: there is no')
  if (!isGone) return <Fault fault={fault} />
  return (
    <Empty isPage title={`This ${what} does not exist`}>
      <p>It was deleted{what === 'token' ? ', or it has expired' : ''}.</p>
      <p>
        <a href={listOf(tab)}>Show all {tab}</a>
      </p>
    </Empty>
  )
}

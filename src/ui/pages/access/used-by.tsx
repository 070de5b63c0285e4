import type { JSX } from 'preact'
import type { RoleEntry, TokenEntry } from '../../../client/acl-rows.ts'
import { pathTo } from '../../core/route.ts'
import { counted } from '../../core/text.ts'
import { Name } from '../../parts/name.tsx'
import { useAcl, useRoles } from './access-data.ts'
import { titleOf } from './token-list.tsx'

/** Who has a policy or a role. */
export interface Users {
  readonly tokens: readonly TokenEntry[]
  readonly roles: readonly RoleEntry[]
}

/** Undefined while it is not known. */
export function useUsers(kind: 'policy' | 'role', id: string): Users | undefined {
  const tokens = useAcl<readonly TokenEntry[]>(`acl/tokens?${kind}=${encodeURIComponent(id)}`).data
  const roles = useRoles(kind === 'policy').data
  if (tokens === undefined || (kind === 'policy' && roles === undefined)) return undefined
  const having = (roles ?? []).filter(
    ({ Policies }) => Policies?.some(({ ID }) => ID === id) === true,
  )
  return { tokens, roles: kind === 'policy' ? having : [] }
}

/** `2 tokens and 1 role`, `nothing`. */
export function usersText({ tokens, roles }: Users): string {
  const parts = [
    tokens.length === 0 ? '' : counted(tokens.length, 'token'),
    roles.length === 0 ? '' : counted(roles.length, 'role'),
  ].filter((each) => each !== '')
  return parts.length === 0 ? 'nothing' : parts.join(' and ')
}

/** Of very many only some are drawn. */
const usersMax = 100

export function UsedBy({ users }: { readonly users: Users }): JSX.Element {
  const { tokens, roles } = users
  if (tokens.length + roles.length === 0) return <p class="muted">Nothing uses it.</p>
  return (
    <ul class="users">
      {roles.slice(0, usersMax).map(({ ID, Name: name }) => (
        <li key={ID}>
          <span class="muted">role</span> <Name text={name} href={pathTo('access', 'roles', ID)} />
        </li>
      ))}
      {tokens.slice(0, usersMax).map((token) => (
        <li key={token.AccessorID}>
          <span class="muted">token</span>{' '}
          <Name text={titleOf(token)} href={pathTo('access', 'tokens', token.AccessorID)} />
        </li>
      ))}
      {tokens.length > usersMax && (
        <li class="muted">and {counted(tokens.length - usersMax, 'more token')}</li>
      )}
    </ul>
  )
}

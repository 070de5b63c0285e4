import type { JSX } from 'preact'
import type { GrantsEntry, TokenEntry } from '../../../client/acl-rows.ts'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'

type Grants = GrantsEntry & Partial<Pick<TokenEntry, 'Roles'>>

interface Grant {
  readonly kind: 'policy' | 'role' | 'service' | 'node'
  readonly name: string
  readonly href: string
}

/** What a token or a role grants, as a list of names. */
function grantsOf({
  Policies,
  Roles,
  ServiceIdentities,
  NodeIdentities,
}: Grants): readonly Grant[] {
  return [
    ...(Policies ?? []).map(({ ID = '', Name = '' }) =>
      grant('policy', Name, pathTo('access', 'policies', ID)),
    ),
    ...(Roles ?? []).map(({ ID = '', Name = '' }) =>
      grant('role', Name, pathTo('access', 'roles', ID)),
    ),
    ...(ServiceIdentities ?? []).map(({ ServiceName }) =>
      grant('service', ServiceName, pathTo('services', ServiceName)),
    ),
    ...(NodeIdentities ?? []).map(({ NodeName }) =>
      grant('node', NodeName, pathTo('nodes', NodeName)),
    ),
  ]
}

function grant(kind: Grant['kind'], name: string, href: string): Grant {
  return { kind, name, href }
}

/** For filters. */
export function grantTexts(grants: Grants): readonly string[] {
  return grantsOf(grants).map(({ name }) => name)
}

/** Each policy, role and identity as a link, with a word for its kind. */
export function GrantList({
  grants,
  max = 100,
}: {
  readonly grants: Grants
  readonly max?: number
}): JSX.Element {
  const all = grantsOf(grants)
  if (all.length === 0) return <span class="muted">nothing</span>
  const rest = all.slice(max)
  return (
    <span class="tags">
      {all.slice(0, max).map(({ kind, name, href }) => (
        <a
          key={kind + name}
          class={`tag grant ${kind}`}
          href={href}
          title={`${titles[kind]} ${visibleText(name)}`}
        >
          {kind !== 'policy' && <span class="kind">{kind}</span>}
          <bdi>{visibleText(name)}</bdi>
        </a>
      ))}
      {rest.length > 0 && (
        <span class="muted" title={rest.map(({ name }) => visibleText(name)).join(', ')}>
          +{rest.length}
        </span>
      )}
    </span>
  )
}

const titles: Readonly<Record<Grant['kind'], string>> = {
  policy: 'Policy',
  role: 'Role',
  service: 'Service identity',
  node: 'Node identity',
}

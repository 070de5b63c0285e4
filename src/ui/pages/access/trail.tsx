import type { ComponentChildren, JSX } from 'preact'
import { pathTo, withParameters } from '../../core/route.ts'
import { Trail } from '../../parts/trail.tsx'

interface HeadProps {
  readonly tab: 'tokens' | 'policies' | 'roles'
  readonly title: ComponentChildren
  /** The page of what is edited. */
  readonly parent?: readonly [title: string, href: string]
  readonly children?: ComponentChildren
}

const titles = { tokens: 'Tokens', policies: 'Policies', roles: 'Roles' } as const

/** The head of a page about one token, policy or role. */
export function Head({ tab, title, parent, children }: HeadProps): JSX.Element {
  return (
    <header class="page-head">
      <Trail>
        <a href={pathTo('access')}>Access</a>
        <a href={listOf(tab)}>{titles[tab]}</a>
        {parent !== undefined && <a href={parent[1]}>{parent[0]}</a>}
      </Trail>
      <h1>{title}</h1>
      {children}
    </header>
  )
}

/** The list of tokens, policies or roles. */
export function listOf(tab: HeadProps['tab']): string {
  return withParameters(pathTo('access'), { tab: tab === 'tokens' ? undefined : tab })
}

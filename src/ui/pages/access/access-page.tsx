import type { JSX } from 'preact'
import { pathTo } from '../../core/route.ts'
import { may } from '../../data/rights.ts'
import { DeniedNote } from '../../parts/action.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { useStatus } from './access-data.ts'
import { Gate } from './gate.tsx'
import { PolicyList } from './policy-list.tsx'
import { RoleList } from './role-list.tsx'
import { TokenList } from './token-list.tsx'

/** Tokens, policies and roles. */
export function AccessPage(): JSX.Element {
  return (
    <Gate>
      <header class="page-head">
        <h1>Access</h1>
        <Default />
        <p class="count">
          <a href={pathTo('access', 'own')}>What may you do?</a>
        </p>
      </header>
      <DeniedNote right={may('acl', 'write')} />
      <Tabs
        label="Access"
        rows={[
          { id: 'tokens', title: 'Tokens', content: () => <TokenList /> },
          { id: 'policies', title: 'Policies', content: () => <PolicyList /> },
          { id: 'roles', title: 'Roles', content: () => <RoleList /> },
        ]}
      />
    </Gate>
  )
}

/** What counts where no rule does. */
function Default(): JSX.Element | null {
  const { data } = useStatus()
  if (data === undefined) return null
  return data.DefaultPolicy === 'deny' ? (
    <p class="muted">
      What no rule allows is <strong>denied</strong>
    </p>
  ) : (
    <p class="warning-text">What no rule denies is allowed</p>
  )
}

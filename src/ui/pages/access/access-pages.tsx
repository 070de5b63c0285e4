import { lazy } from '../../parts/lazy.tsx'
import type { Page } from '../page.ts'
import type { AccessContent } from './access.tsx'

const Access = lazy(async () => (await import('../later.ts')).later.Access)

/** A page of access.tsx, which is loaded when it is needed. */
function page(path: string, title: string, name: AccessContent): Page {
  return {
    path,
    title: () => title,
    content: (values) => (
      <Access key={`${path} ${values['id'] ?? ''}`} name={name} values={values} />
    ),
  }
}

/** The pages about tokens, policies and roles. */
export const accessPages: readonly Page[] = [
  {
    ...page('access', 'Access', 'list'),
    entry: { title: 'Access', icon: 'access', key: 'a' },
  },
  page('access/own', 'What you may do', 'own'),
  page('access/tokens/new', 'Create a token', 'newToken'),
  page('access/tokens/:id', 'Token', 'token'),
  page('access/tokens/:id/edit', 'Edit the token', 'editToken'),
  page('access/policies/new', 'Create a policy', 'newPolicy'),
  page('access/policies/:id', 'Policy', 'policy'),
  page('access/policies/:id/edit', 'Edit the policy', 'editPolicy'),
  page('access/roles/new', 'Create a role', 'newRole'),
  page('access/roles/:id', 'Role', 'role'),
  page('access/roles/:id/edit', 'Edit the role', 'editRole'),
]

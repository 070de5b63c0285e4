import type { JSX } from 'preact'
import type { PathValues } from '../../core/route.ts'
import { AccessPage } from './access-page.tsx'
import { OwnPage } from './own-page.tsx'
import { PolicyFormPage } from './policy-form.tsx'
import { PolicyPage } from './policy-page.tsx'
import { RoleFormPage } from './role-form.tsx'
import { RolePage } from './role-page.tsx'
import { EditTokenPage, NewTokenPage } from './token-form.tsx'
import { TokenPage } from './token-page.tsx'

// Loaded when the first of these pages is opened.

/** The pages about access control, by their names in pages.tsx. */
const contents = {
  list: () => <AccessPage />,
  own: () => <OwnPage />,
  newToken: () => <NewTokenPage />,
  token: ({ id = '' }: PathValues) => <TokenPage id={id} />,
  editToken: ({ id = '' }: PathValues) => <EditTokenPage id={id} />,
  newPolicy: () => <PolicyFormPage id={undefined} />,
  policy: ({ id = '' }: PathValues) => <PolicyPage id={id} />,
  editPolicy: ({ id = '' }: PathValues) => <PolicyFormPage id={id} />,
  newRole: () => <RoleFormPage id={undefined} />,
  role: ({ id = '' }: PathValues) => <RolePage id={id} />,
  editRole: ({ id = '' }: PathValues) => <RoleFormPage id={id} />,
} as const satisfies Readonly<Record<string, (values: PathValues) => JSX.Element>>

export type AccessContent = keyof typeof contents

interface AccessProps {
  readonly name: AccessContent
  readonly values: PathValues
}

export function Access({ name, values }: AccessProps): JSX.Element {
  return contents[name](values)
}

import type { JSX } from 'preact'
import type { RoleEntry } from '../../../client/acl-rows.ts'
import { pathTo } from '../../core/route.ts'
import { sorted } from '../../core/sort.ts'
import { counted, firstLine } from '../../core/text.ts'
import { Command } from '../../parts/copy.tsx'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { useRoles } from './access-data.ts'
import { GrantList, grantTexts } from './grant-list.tsx'
import { isFound, ListBar } from './list-bar.tsx'

/** All roles. */
export function RoleList(): JSX.Element {
  const { data, fault } = useRoles()
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  const found = data.filter((role) =>
    isFound(role.ID, role.Name, role.Description, ...grantTexts(role)),
  )
  const rows = sorted(found, ({ Name }) => Name.toLowerCase(), false)
  return (
    <>
      <ListBar
        label="Filter by name, ID or policy"
        count={counted(rows.length, 'role')}
        href={pathTo('access', 'roles', 'new')}
        create="Create role"
      />
      {rows.length > 0 && (
        <Grid label="Roles" columns={columns} rows={rows} keyOf={keyOf} hrefOf={hrefOf} />
      )}
      {data.length === 0 && (
        <Empty title="There are no roles">
          <p>
            A role is a set of policies with a name. Tokens with the role have its rights, and a
            change of the role counts for all of them. This role is for monitoring:
          </p>
          <Command text="svcd acl role create -name monitoring -policy-name builtin/global-read-only" />
        </Empty>
      )}
    </>
  )
}

function keyOf({ ID }: RoleEntry): string {
  return ID
}

function hrefOf({ ID }: RoleEntry): string {
  return pathTo('access', 'roles', ID)
}

const columns: readonly Column<RoleEntry>[] = [
  {
    id: 'name',
    title: 'Name',
    width: 'minmax(140px, 1.5fr)',
    cell: (role) => <Name text={role.Name} href={hrefOf(role)} />,
  },
  {
    id: 'description',
    title: 'Description',
    width: 'minmax(140px, 2fr)',
    place: 'wide',
    cell: ({ Description }) => <span title={firstLine(Description)}>{firstLine(Description)}</span>,
  },
  {
    id: 'grants',
    title: 'Grants',
    width: 'minmax(180px, 3fr)',
    place: 'second-line',
    cell: (role) => <GrantList grants={role} max={4} />,
  },
]

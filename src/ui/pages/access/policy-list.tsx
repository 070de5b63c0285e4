import type { JSX } from 'preact'
import type { PolicyEntry } from '../../../client/acl-rows.ts'
import { builtInNote } from '../../core/access.ts'
import { pathTo } from '../../core/route.ts'
import { sorted } from '../../core/sort.ts'
import type { SortKey } from '../../core/sort.ts'
import { counted, firstLine } from '../../core/text.ts'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Command } from '../../parts/copy.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { usePolicies } from './access-data.ts'
import { filterText, isFound, ListBar } from './list-bar.tsx'

/** All policies, the built-in ones first. */
export function PolicyList(): JSX.Element {
  const { data, fault } = usePolicies()
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  const found = data.filter(({ ID, Name, Description }) => isFound(ID, Name, Description))
  const rows = sorted(found, orderOf, false)
  return (
    <>
      <ListBar
        label="Filter by name, ID or description"
        count={counted(rows.length, 'policy', 'policies')}
        href={pathTo('access', 'policies', 'new')}
        create="Create policy"
      />
      <Grid label="Policies" columns={columns} rows={rows} keyOf={keyOf} hrefOf={hrefOf} />
      {data.every(({ ID }) => builtInNote(ID) !== undefined) && filterText() === '' && (
        <Empty title="There are only the built-in policies">
          <p>
            A policy is a list of rules with a name. Tokens and roles have policies. This one lets a
            program find all services:
          </p>
          <Command
            text={`svcd acl policy create -name discovery -rules 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'`}
          />
        </Empty>
      )}
    </>
  )
}

/** By name, the built-in ones first. */
function orderOf({ ID, Name }: PolicyEntry): SortKey {
  return builtInNote(ID) === undefined ? `1${Name.toLowerCase()}` : `0${ID}`
}

function keyOf({ ID }: PolicyEntry): string {
  return ID
}

function hrefOf({ ID }: PolicyEntry): string {
  return pathTo('access', 'policies', ID)
}

const columns: readonly Column<PolicyEntry>[] = [
  {
    id: 'name',
    title: 'Name',
    width: 'minmax(160px, 2fr)',
    cell: (policy) => <Name text={policy.Name} href={hrefOf(policy)} />,
  },
  {
    id: 'description',
    title: 'Description',
    width: 'minmax(180px, 3fr)',
    place: 'second-line',
    cell: ({ Description }) => <span title={firstLine(Description)}>{firstLine(Description)}</span>,
  },
  {
    id: 'kind',
    title: 'Origin',
    width: '72px',
    cell: ({ ID }) => (builtInNote(ID) === undefined ? 'own' : <span class="muted">built in</span>),
  },
  {
    id: 'accessor',
    title: 'ID',
    width: '290px',
    place: 'wide',
    cell: ({ ID }) => <Name text={ID} />,
  },
]

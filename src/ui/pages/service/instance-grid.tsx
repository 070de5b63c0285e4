import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { CheckEntry, HealthEntry } from '../../../client/rows.ts'
import { healthRank } from '../../core/health.ts'
import type { Health } from '../../core/health.ts'
import { pathTo } from '../../core/route.ts'
import { parseSort, sorted } from '../../core/sort.ts'
import type { SortKey } from '../../core/sort.ts'
import { useChanged } from '../../data/changed.ts'
import { parameters } from '../../data/location.ts'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Mark } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { screen } from '../../parts/screen.ts'
import { Tags } from '../../parts/tag.tsx'
import { Why } from '../../parts/why.tsx'

export interface InstanceRow {
  readonly entry: HealthEntry
  readonly health: Health
  /** The check that decided; undefined when all pass. */
  readonly check: CheckEntry | undefined
}

const keys: Readonly<Record<string, (row: InstanceRow) => SortKey>> = {
  status: ({ health }) => healthRank[health],
  instance: ({ entry }) => entry.Service.ID.toLowerCase(),
  address: ({ entry }) => addressOf(entry),
  node: ({ entry }) => entry.Node.Node.toLowerCase(),
}

/** The instances of a service, or those on a node. `withService`: their names differ. */
export function InstanceGrid({
  rows,
  withService = false,
}: {
  readonly service?: string
  readonly rows: readonly InstanceRow[]
  readonly withService?: boolean
}): JSX.Element {
  const sort = parseSort(parameters.value.get('sort') ?? '', {
    column: 'status',
    isDescending: false,
  })
  const shown = useMemo(() => {
    const key = keys[sort.column]
    return key === undefined ? rows : sorted(rows, key, sort.isDescending)
  }, [rows, sort.column, sort.isDescending])
  const changed = useChanged(rows, keyOf, signatureOf)
  const columns = withService ? columnsOnNode : columnsOfService
  return (
    <Grid
      label="Instances"
      columns={columns}
      rows={shown}
      keyOf={keyOf}
      hrefOf={hrefOf}
      sort={sort}
      changed={changed}
    />
  )
}

function keyOf({ entry }: InstanceRow): string {
  return `${entry.Node.Node}/${entry.Service.ID}`
}

function signatureOf({ health, check, entry }: InstanceRow): string {
  return [health, check?.ModifyIndex ?? 0, addressOf(entry)].join()
}

function hrefOf({ entry }: InstanceRow): string {
  return pathTo('services', entry.Service.Service, entry.Node.Node, entry.Service.ID)
}

/** Where an instance listens: clients fall back to the address of its node. */
export function addressOf({ Service, Node }: Pick<HealthEntry, 'Service' | 'Node'>): string {
  const address = Service.Address === '' ? Node.Address : Service.Address
  const host = address.includes(':') ? `[${address}]` : address
  return Service.Port === 0 ? host : `${host}:${Service.Port}`
}

const status: Column<InstanceRow> = {
  id: 'status',
  title: 'Status',
  width: 'var(--status-width)',
  isSortable: true,
  cell: ({ health }) => <Mark health={health} />,
}
const instance: Column<InstanceRow> = {
  id: 'instance',
  title: 'Instance',
  width: 'minmax(120px, 2fr)',
  isSortable: true,
  cell: (row) => <Name text={row.entry.Service.ID} href={hrefOf(row)} />,
}
const address: Column<InstanceRow> = {
  id: 'address',
  title: 'Address',
  width: 'minmax(130px, 1.4fr)',
  isSortable: true,
  cell: ({ entry }) => <Name text={addressOf(entry)} />,
}
const node: Column<InstanceRow> = {
  id: 'node',
  title: 'Node',
  width: 'minmax(80px, 1fr)',
  isSortable: true,
  place: 'wide',
  cell: ({ entry }) => <Name text={entry.Node.Node} href={pathTo('nodes', entry.Node.Node)} />,
}
const serviceName: Column<InstanceRow> = {
  id: 'service',
  title: 'Service',
  width: 'minmax(100px, 1.4fr)',
  place: 'wide',
  cell: ({ entry }) => (
    <Name text={entry.Service.Service} href={pathTo('services', entry.Service.Service)} />
  ),
}
const why: Column<InstanceRow> = {
  id: 'why',
  title: 'Why',
  width: 'minmax(200px, 3fr)',
  place: 'second-line',
  cell: reasonOf,
}
const tags: Column<InstanceRow> = {
  id: 'tags',
  title: 'Tags',
  width: 'minmax(110px, 1.4fr)',
  place: 'wide',
  cell: ({ entry }) => <Tags tags={entry.Service.Tags} />,
}

const columnsOfService = [status, instance, address, node, why, tags]
const columnsOnNode = [status, serviceName, instance, address, why]

/** The check that decides. On phones a row without one has its node there. */
function reasonOf({ entry, check, health }: InstanceRow): JSX.Element | string {
  if (check === undefined || health === 'passing') {
    return screen.value === 'phone' ? <Name text={entry.Node.Node} /> : ''
  }
  const { CheckID, Output, Notes, ModifyIndex } = check
  return <Why health={health} checkId={CheckID} output={Output || Notes} index={ModifyIndex} />
}

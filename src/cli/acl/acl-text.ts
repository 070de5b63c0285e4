import { visible, visibleLines } from '../../base/invisible.ts'
import type {
  AclLink,
  GrantsEntry,
  PolicyEntry,
  RoleEntry,
  TokenEntry,
} from '../../client/acl-rows.ts'
import type { Column } from '../output.ts'

/** Each field with a value on a line, as Consul prints them: scripts look for `SecretID:`. */
function lines(fields: readonly (readonly [string, string])[]): string {
  return fields
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${`${name}:`.padEnd(18)}${visible(value)}\n`)
    .join('')
}

function section(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `${title}:\n${items.map((i) => `   ${visible(i)}\n`).join('')}`
}

interface Indexed {
  readonly Hash?: string
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

function meta({ Hash = '', CreateIndex, ModifyIndex }: Indexed): [string, string][] {
  return [
    ['Hash', Hash],
    ['Create Index', String(CreateIndex)],
    ['Modify Index', String(ModifyIndex)],
  ]
}

export function tokenText(token: TokenEntry, isMeta = false): string {
  const { AccessorID, SecretID, Description, Local, CreateTime, ExpirationTime } = token
  const fields: [string, string][] = [
    ['AccessorID', AccessorID],
    ['SecretID', SecretID ?? ''],
    ['Description', Description],
    ['Local', String(Local)],
    ['Create Time', CreateTime ?? ''],
    ['Expiration Time', ExpirationTime ?? ''],
    ...(isMeta ? meta(token) : []),
  ]
  return lines(fields) + grantsText(token) + section('Roles', linkTexts(token.Roles))
}

export function policyText(policy: PolicyEntry, isMeta = false): string {
  const { ID, Name, Description, Datacenters, Rules = '' } = policy
  const head = lines([
    ['ID', ID],
    ['Name', Name],
    ['Description', Description],
    ['Datacenters', (Datacenters ?? []).join(', ')],
    ...(isMeta ? meta(policy) : []),
  ])
  return `${head}Rules:\n${visibleLines(Rules.endsWith('\n') ? Rules : `${Rules}\n`)}`
}

export function roleText(role: RoleEntry, isMeta = false): string {
  const { ID, Name, Description } = role
  const head = lines([
    ['ID', ID],
    ['Name', Name],
    ['Description', Description],
    ...(isMeta ? meta(role) : []),
  ])
  return head + grantsText(role)
}

function grantsText({ Policies, ServiceIdentities, NodeIdentities }: GrantsEntry): string {
  const services = (ServiceIdentities ?? []).map(({ ServiceName, Datacenters }) =>
    Datacenters == null || Datacenters.length === 0
      ? `${ServiceName} (all datacenters)`
      : `${ServiceName} (datacenters: ${Datacenters.join(', ')})`,
  )
  const nodes = (NodeIdentities ?? []).map(
    ({ NodeName, Datacenter }) => `${NodeName} (datacenter: ${Datacenter})`,
  )
  return (
    section('Policies', linkTexts(Policies)) +
    section('Service Identities', services) +
    section('Node Identities', nodes)
  )
}

function linkTexts(links: readonly AclLink[] | null | undefined): readonly string[] {
  return (links ?? []).map(({ ID = '', Name = '' }) => `${ID} - ${Name}`)
}

function names(links: readonly AclLink[] | null | undefined): string {
  return (links ?? []).map(({ ID = '', Name = ID }) => Name).join(', ') || '-'
}

function identities({ ServiceIdentities, NodeIdentities }: GrantsEntry): string {
  const all = [
    ...(ServiceIdentities ?? []).map(({ ServiceName }) => `service ${ServiceName}`),
    ...(NodeIdentities ?? []).map(({ NodeName }) => `node ${NodeName}`),
  ]
  return all.join(', ') || '-'
}

const indexColumns: readonly Column<Indexed>[] = [
  { header: 'CreateIndex', cell: ({ CreateIndex }) => String(CreateIndex), isWide: true },
  { header: 'ModifyIndex', cell: ({ ModifyIndex }) => String(ModifyIndex), isWide: true },
]

export const tokenColumns: readonly Column<TokenEntry>[] = [
  { header: 'AccessorID', cell: ({ AccessorID }) => AccessorID },
  { header: 'Description', cell: ({ Description }) => Description || '-' },
  { header: 'Policies', cell: ({ Policies }) => names(Policies) },
  { header: 'Roles', cell: ({ Roles }) => names(Roles) },
  { header: 'Identities', cell: identities },
  { header: 'Expires', cell: ({ ExpirationTime }) => ExpirationTime ?? '-' },
  { header: 'Local', cell: ({ Local }) => String(Local), isWide: true },
  { header: 'Created', cell: ({ CreateTime }) => CreateTime ?? '-', isWide: true },
  ...indexColumns,
]

export const policyColumns: readonly Column<PolicyEntry>[] = [
  { header: 'Name', cell: ({ Name }) => Name },
  { header: 'ID', cell: ({ ID }) => ID },
  { header: 'Description', cell: ({ Description }) => Description || '-' },
  {
    header: 'Datacenters',
    cell: ({ Datacenters }) => (Datacenters ?? []).join(', ') || '-',
    isWide: true,
  },
  ...indexColumns,
]

export const roleColumns: readonly Column<RoleEntry>[] = [
  { header: 'Name', cell: ({ Name }) => Name },
  { header: 'ID', cell: ({ ID }) => ID },
  { header: 'Policies', cell: ({ Policies }) => names(Policies) },
  { header: 'Identities', cell: identities },
  { header: 'Description', cell: ({ Description }) => Description || '-' },
  ...indexColumns,
]

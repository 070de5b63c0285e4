import type { JSX } from 'preact'
import type { AclLink, GrantsEntry, TokenEntry } from '../../../client/acl-rows.ts'
import { useFetched } from '../../data/fetched.ts'
import { Chips } from '../../parts/chips.tsx'
import { usePolicies, useRoles } from './access-data.ts'

/** What a form grants, by names. */
export interface GrantNames {
  readonly policies: readonly string[]
  readonly roles: readonly string[]
  readonly services: readonly string[]
  /** `node` or `node@datacenter`. */
  readonly nodes: readonly string[]
  /** Names that were typed and not added. They count as well. */
  readonly typed: Readonly<Partial<Record<GrantKind, string>>>
}

type GrantKind = 'policies' | 'roles' | 'services' | 'nodes'

export const noGrants: GrantNames = { policies: [], roles: [], services: [], nodes: [], typed: {} }

function allOf(names: GrantNames, kind: GrantKind): readonly string[] {
  const typed = names.typed[kind]?.trim() ?? ''
  return typed === '' || names[kind].includes(typed) ? names[kind] : [...names[kind], typed]
}

/** The roles of the body of a token. */
export function rolesBody(names: GrantNames): readonly AclLink[] {
  return allOf(names, 'roles').map((Name) => ({ Name }))
}

/** The names of what a token or a role grants. */
export function namesOf(entry: GrantsEntry & Partial<Pick<TokenEntry, 'Roles'>>): GrantNames {
  return {
    policies: (entry.Policies ?? []).map(({ Name = '' }) => Name),
    roles: (entry.Roles ?? []).map(({ Name = '' }) => Name),
    services: (entry.ServiceIdentities ?? []).map(({ ServiceName }) => ServiceName),
    nodes: (entry.NodeIdentities ?? []).map(
      ({ NodeName, Datacenter }) => `${NodeName}@${Datacenter}`,
    ),
    typed: {},
  }
}

/** The fields of a body. An identity that was there already keeps its datacenters. */
export function grantsBody(
  names: GrantNames,
  before: GrantsEntry,
  datacenter: string,
): GrantsEntry {
  return {
    Policies: allOf(names, 'policies').map((Name) => ({ Name })),
    ServiceIdentities: allOf(names, 'services').map(
      (ServiceName) =>
        before.ServiceIdentities?.find((each) => each.ServiceName === ServiceName) ?? {
          ServiceName,
        },
    ),
    NodeIdentities: allOf(names, 'nodes').map((text) => {
      const [NodeName = '', place = ''] = text.split('@')
      return { NodeName, Datacenter: place === '' ? datacenter : place }
    }),
  }
}

/** The datacenter of the agent; '' until it is known. */
export function useDatacenter(): string {
  return useFetched<readonly string[]>('catalog/datacenters').data?.[0] ?? ''
}

interface GrantsFormProps {
  readonly names: GrantNames
  readonly onChange: (names: GrantNames) => void
  /** Roles have no roles. */
  readonly hasRoles: boolean
}

/** Where one chooses what a token or a role grants. */
export function GrantsForm({ names, onChange, hasRoles }: GrantsFormProps): JSX.Element {
  const policies = usePolicies().data
  const roles = useRoles(hasRoles).data
  const field = (kind: GrantKind) => ({
    values: names[kind],
    onChange: (values: readonly string[]) =>
      onChange({ ...names, [kind]: values, typed: { ...names.typed, [kind]: '' } }),
    typed: names.typed[kind] ?? '',
    onTyped: (typed: string) => onChange({ ...names, typed: { ...names.typed, [kind]: typed } }),
  })
  return (
    <>
      <Chips
        {...field('policies')}
        label="Policies"
        what="policy"
        hint="Each policy is a list of rules."
        {...(policies === undefined ? {} : { known: policies.map(({ Name }) => Name) })}
      />
      {hasRoles && (
        <Chips
          {...field('roles')}
          label="Roles"
          what="role"
          hint="A role is a set of policies with a name."
          {...(roles === undefined ? {} : { known: roles.map(({ Name }) => Name) })}
        />
      )}
      <Chips
        {...field('services')}
        label="Service identities"
        what="service"
        hint="Lets a program register this service, and find all others."
      />
      <Chips
        {...field('nodes')}
        label="Node identities"
        what="node"
        hint="Lets an agent register this node, and find services. In this datacenter, unless you write name@datacenter."
      />
    </>
  )
}

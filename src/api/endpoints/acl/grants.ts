import { isIdentityName } from '../../../access/rules/identities.ts'
import { svcdError } from '../../../base/errors.ts'
import type { LinkBody, RoleBody } from '../../../definition/acl.ts'
import {
  checkBytes,
  checkCount,
  checkedDatacenters,
  datacenterBytesMax,
  linksMax,
} from '../../../definition/sizes.ts'
import { isAclId } from '../../../state/acl/model.ts'
import type { Grants, NodeIdentity, ServiceIdentity } from '../../../state/acl/model.ts'
import type { AclReader } from '../../../state/acl/reader.ts'

type GrantsBody = Pick<RoleBody, 'Policies' | 'ServiceIdentities' | 'NodeIdentities'>

/** Of what: for error texts. */
type Owner = 'token' | 'role'

/** What a body grants. Throws `acl-link-unknown`, `acl-token-invalid`, `acl-role-invalid`, `field-too-large`. */
export function grantsOf(body: GrantsBody, owner: Owner, reader: AclReader): Grants {
  checkCount('Policies', body.Policies?.length ?? 0, linksMax)
  checkCount('ServiceIdentities', body.ServiceIdentities?.length ?? 0, linksMax)
  checkCount('NodeIdentities', body.NodeIdentities?.length ?? 0, linksMax)
  return {
    policies: idsOf(body.Policies ?? [], 'policy', {
      has: (id) => reader.policyVersion(id) !== undefined,
      idOf: (name) => reader.policyIdOf(name),
    }),
    serviceIdentities: serviceIdentities(body, owner),
    nodeIdentities: nodeIdentities(body, owner),
  }
}

/** IDs of roles. Throws `acl-link-unknown`. */
export function rolesOf(links: readonly LinkBody[], reader: AclReader): readonly string[] {
  checkCount('Roles', links.length, linksMax)
  return idsOf(links, 'role', {
    has: (id) => reader.role(id) !== undefined,
    idOf: (name) => reader.roleNamed(name)?.id,
  })
}

interface Known {
  readonly has: (id: string) => boolean
  readonly idOf: (name: string) => string | undefined
}

function idsOf(links: readonly LinkBody[], what: 'policy' | 'role', known: Known) {
  const ids = links.map(({ ID = '', Name = '' }) => {
    const id = ID === '' ? known.idOf(Name) : ID.toLowerCase()
    if (id !== undefined && isAclId(id) && known.has(id)) return id
    const [by, value] = ID === '' ? (['name', Name] as const) : (['ID', ID] as const)
    throw svcdError('acl-link-unknown', { what, by, value })
  })
  return [...new Set(ids)]
}

const nameRule = "Only alphanumeric characters, '-' and '_' are allowed"

function serviceIdentities({ ServiceIdentities = [] }: GrantsBody, owner: Owner) {
  const byName = new Map<string, ServiceIdentity>()
  for (const {
    ServiceName: serviceName = '',
    Datacenters: datacenters = [],
  } of ServiceIdentities) {
    if (serviceName === '') {
      refuse(owner, `Service identity is missing the service name field on this ${owner}`)
    }
    if (!isIdentityName(serviceName)) {
      refuse(owner, `Service identity "${serviceName}" has an invalid name. ${nameRule}`)
    }
    checkedDatacenters(datacenters)
    const before = byName.get(serviceName)
    // Without datacenters it counts in all of them.
    const isEverywhere = datacenters.length === 0 || before?.datacenters.length === 0
    const all = [...new Set([...(before?.datacenters ?? []), ...datacenters])]
    byName.set(serviceName, { serviceName, datacenters: isEverywhere ? [] : all })
  }
  return [...byName.values()]
}

function nodeIdentities({ NodeIdentities = [] }: GrantsBody, owner: Owner) {
  const byKey = new Map<string, NodeIdentity>()
  for (const { NodeName: nodeName = '', Datacenter: datacenter = '' } of NodeIdentities) {
    if (nodeName === '') {
      refuse(owner, `Node identity is missing the node name field on this ${owner}`)
    }
    checkBytes('Datacenter', datacenter, datacenterBytesMax)
    if (datacenter === '') {
      refuse(owner, `Node identity is missing the datacenter field on this ${owner}`)
    }
    if (!isIdentityName(nodeName)) refuse(owner, `Node identity has an invalid name. ${nameRule}`)
    byKey.set(`${nodeName}\n${datacenter}`, { nodeName, datacenter })
  }
  return [...byKey.values()]
}

function refuse(owner: Owner, reason: string): never {
  throw svcdError(owner === 'token' ? 'acl-token-invalid' : 'acl-role-invalid', { reason })
}

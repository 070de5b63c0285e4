import { createHash } from 'node:crypto'
import { globalManagement, globalReadOnly } from '../../../access/rules/built-in.ts'
import type { Tokens } from '../../../ports/tokens.ts'
import type { AclLink, AclPolicy, AclRole, AclToken, Grants } from '../../../state/acl/model.ts'
import type { AclReader } from '../../../state/acl/reader.ts'

/** Shown instead of a secret. */
export const hiddenSecret = '<hidden>'

/** An ID that a client has sent, for an error text. Some send the secret of a token, and error texts end up in logs. */
export function shownId(id: string, tokens: Pick<Tokens, 'isSecret'>): string {
  return tokens.isSecret(id) ? '(hidden: it is the secret of a token)' : id
}

/** Go's time of nothing. */
export const zeroTime = '0001-01-01T00:00:00Z'

/** The policies that are not stored. */
export const builtInPolicies: readonly AclPolicy[] = [globalManagement, globalReadOnly].map(
  ({ id, name, description, rules }) => ({
    id,
    name,
    description,
    rules,
    datacenters: [],
    createIndex: 1,
    modifyIndex: 1,
  }),
)

/** Consul's ACLToken. Empty lists are left out, as Consul does. */
export function tokenJson(token: AclToken, secret: string, reader: AclReader) {
  const { AccessorID, ...rest } = tokenListJson(token, reader)
  return { AccessorID, SecretID: secret, ...rest }
}

/** Consul's ACLTokenListStub. */
export function tokenListJson(token: AclToken, reader: AclReader) {
  const { expirationTimeMs, createTimeMs } = token
  return {
    AccessorID: token.accessorId,
    Description: token.description,
    ...linksJson('Policies', reader.policyLinks(token.policies)),
    ...linksJson('Roles', reader.roleLinks(token.roles)),
    ...identitiesJson(token),
    Local: token.isLocal,
    ...(expirationTimeMs === 0 ? {} : { ExpirationTime: timeJson(expirationTimeMs) }),
    CreateTime: timeJson(createTimeMs),
    Hash: hashOf(
      token.description,
      token.isLocal,
      token.policies,
      token.roles,
      token.serviceIdentities,
      token.nodeIdentities,
    ),
    CreateIndex: token.createIndex,
    ModifyIndex: token.modifyIndex,
  }
}

/** Consul's ACLPolicy. */
export function policyJson(policy: AclPolicy) {
  const { id, name, description, rules, datacenters, createIndex, modifyIndex } = policy
  return {
    ID: id,
    Name: name,
    Description: description,
    Rules: rules,
    ...(datacenters.length === 0 ? {} : { Datacenters: datacenters }),
    Hash: hashOf(name, description, rules, datacenters),
    CreateIndex: createIndex,
    ModifyIndex: modifyIndex,
  }
}

/** Consul's ACLPolicyListStub. */
export function policyListJson(policy: AclPolicy) {
  const { id, name, description, rules, datacenters, createIndex, modifyIndex } = policy
  return {
    ID: id,
    Name: name,
    Description: description,
    Datacenters: datacenters.length === 0 ? null : datacenters,
    Hash: hashOf(name, description, rules, datacenters),
    CreateIndex: createIndex,
    ModifyIndex: modifyIndex,
  }
}

/** Consul's ACLRole. */
export function roleJson(role: AclRole, reader: AclReader) {
  const { id, name, description, policies, serviceIdentities, nodeIdentities } = role
  return {
    ID: id,
    Name: name,
    Description: description,
    ...linksJson('Policies', reader.policyLinks(policies)),
    ...identitiesJson(role),
    Hash: hashOf(name, description, policies, serviceIdentities, nodeIdentities),
    CreateIndex: role.createIndex,
    ModifyIndex: role.modifyIndex,
  }
}

function linksJson(field: 'Policies' | 'Roles', links: readonly AclLink[]) {
  if (links.length === 0) return {}
  return { [field]: links.map(({ id, name }) => ({ ID: id, Name: name })) }
}

function identitiesJson({ serviceIdentities, nodeIdentities }: Grants) {
  const services = serviceIdentities.map(({ serviceName, datacenters }) => ({
    ServiceName: serviceName,
    ...(datacenters.length === 0 ? {} : { Datacenters: datacenters }),
  }))
  const nodes = nodeIdentities.map(({ nodeName, datacenter }) => ({
    NodeName: nodeName,
    Datacenter: datacenter,
  }))
  return {
    ...(services.length === 0 ? {} : { ServiceIdentities: services }),
    ...(nodes.length === 0 ? {} : { NodeIdentities: nodes }),
  }
}

function timeJson(timeMs: number): string {
  return timeMs === 0 ? zeroTime : new Date(timeMs).toISOString()
}

/** Of the content: the same as long as that is. */
function hashOf(...content: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64')
}

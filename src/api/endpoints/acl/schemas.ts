import {
  flag,
  list,
  object,
  orNull,
  schemaNamed,
  text,
  texts,
  whole,
} from '../../../http/schemas.ts'

const links = list(object({ ID: text, Name: text }))
const grants = {
  Policies: links,
  ServiceIdentities: list(object({ ServiceName: text, Datacenters: texts }, 'Datacenters')),
  NodeIdentities: list(object({ NodeName: text, Datacenter: text })),
}
const meta = { Hash: text, CreateIndex: whole, ModifyIndex: whole }
const tokenFields = {
  ...grants,
  ...meta,
  AccessorID: text,
  Description: text,
  Roles: links,
  Local: flag,
  ExpirationTime: text,
  CreateTime: text,
}
const optional = 'Policies Roles ServiceIdentities NodeIdentities ExpirationTime'

export const tokenSchema = schemaNamed(
  'Token',
  object({ ...tokenFields, SecretID: text }, optional),
)

/** Without its secret. */
export const tokenRow = schemaNamed('TokenListEntry', object(tokenFields, optional))

export const bootstrapSchema = object({ ...tokenFields, ID: text, SecretID: text }, optional)

export const policySchema = schemaNamed(
  'Policy',
  object(
    { ...meta, ID: text, Name: text, Description: text, Rules: text, Datacenters: texts },
    'Datacenters',
  ),
)

/** Without its rules. */
export const policyListRow = schemaNamed(
  'PolicyListEntry',
  object({ ...meta, ID: text, Name: text, Description: text, Datacenters: orNull(texts) }),
)

export const roleSchema = schemaNamed(
  'Role',
  object({ ...grants, ...meta, ID: text, Name: text, Description: text }, optional),
)

export const replicationSchema = object({
  Enabled: flag,
  Running: flag,
  SourceDatacenter: text,
  ReplicationType: text,
  ReplicatedIndex: whole,
  ReplicatedRoleIndex: whole,
  ReplicatedTokenIndex: whole,
  LastSuccess: text,
  LastError: text,
})

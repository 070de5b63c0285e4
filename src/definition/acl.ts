import { duration, flag, integer, listOf, object, text } from './decode.ts'
import type { Reader } from './decode.ts'
import { enterpriseFields, onlyDefault } from './shapes.ts'

type Shape<R> = R extends Reader<infer T> ? T : never

const link = object({ ID: text, Name: text })

const grants = {
  Policies: listOf(link),
  ServiceIdentities: listOf(object({ ServiceName: text, Datacenters: listOf(text) })),
  NodeIdentities: listOf(object({ NodeName: text, Datacenter: text })),
}

// What a read returns may be sent back.
const ofReads = { Hash: text, CreateIndex: integer, ModifyIndex: integer, ...enterpriseFields }

/** PUT acl/token, acl/token/:accessor and its clone. */
export const tokenShape = object({
  ...grants,
  ...ofReads,
  ID: text,
  AccessorID: text,
  SecretID: text,
  Description: text,
  Roles: listOf(link),
  Local: flag,
  ExpirationTime: text,
  ExpirationTTL: duration,
  CreateTime: text,
  AuthMethod: text,
  AuthMethodNamespace: onlyDefault,
  Rules: text,
  Type: text,
  Legacy: flag,
})

/** PUT acl/policy. */
export const policyShape = object({
  ...ofReads,
  ID: text,
  Name: text,
  Description: text,
  Rules: text,
  Datacenters: listOf(text),
})

/** PUT acl/role. */
export const roleShape = object({ ...grants, ...ofReads, ID: text, Name: text, Description: text })

/** PUT agent/token/:type. */
export const agentTokenShape = object({ Token: text })

/** POST internal/acl/authorize. */
export const authorizeShape = listOf(object({ Resource: text, Access: text, Segment: text }))

export type TokenBody = Shape<typeof tokenShape>
export type PolicyBody = Shape<typeof policyShape>
export type RoleBody = Shape<typeof roleShape>
export type LinkBody = Shape<typeof link>
export type AgentTokenBody = Shape<typeof agentTokenShape>

import {
  duration,
  flag,
  integer,
  listOf,
  mapOf,
  object,
  opaque,
  opaqueObject,
  openObject,
  text,
} from './decode.ts'
import type { Reader } from './decode.ts'
import { svcdError } from '../base/errors.ts'
import { plainReaders } from './plain-fields.ts'

// The request bodies that Consul 1.21 accepts, field for field.

/** Enterprise clients write their defaults out; anything else would ask for another place. */
const onlyDefault: Reader<string> = (value, at) => {
  const name = text(value, at)
  if (name === '' || name === 'default') return name
  const reason = `${JSON.stringify(name)} does not exist; there is only "default"`
  throw svcdError('invalid-field', { field: at, reason })
}

export const enterpriseFields = { Namespace: onlyDefault, Partition: onlyDefault }

type Shape<R> = R extends Reader<infer T> ? T : never

const weights = object({ Passing: integer, Warning: integer })
const taggedAddress = object({ Address: text, Port: integer })

// How a check is run: what a service's check and a check of its own have in common.
export const checkFields = {
  ...enterpriseFields,
  Name: text,
  Status: text,
  Notes: text,
  ScriptArgs: listOf(text),
  HTTP: text,
  H2PING: text,
  H2PingUseTLS: flag,
  Header: mapOf(listOf(text)),
  Method: text,
  Body: text,
  DisableRedirects: flag,
  TCP: text,
  TCPUseTLS: flag,
  UDP: text,
  OSService: text,
  Interval: duration,
  Timeout: duration,
  TTL: duration,
  DockerContainerID: text,
  Shell: text,
  GRPC: text,
  GRPCUseTLS: flag,
  TLSServerName: text,
  TLSSkipVerify: flag,
  AliasNode: text,
  AliasService: text,
  SuccessBeforePassing: integer,
  FailuresBeforeWarning: integer,
  FailuresBeforeCritical: integer,
  DeregisterCriticalServiceAfter: duration,
  OutputMaxSize: integer,
  // Consul accepts and ignores it inside a service's definition.
  ServiceID: text,
}

export const checkAliases = { args: 'ScriptArgs', h2ping_use_tls: 'H2PingUseTLS' } as const

/** A check inside a service definition. */
export const serviceCheckShape = object(
  { ...checkFields, CheckID: text, ProxyHTTP: text, ProxyGRPC: text },
  checkAliases,
)
export type ServiceCheckBody = Shape<typeof serviceCheckShape>

/** PUT agent/check/register. */
export const agentCheckShape = object({ ...checkFields, ID: text, Token: text }, checkAliases)
export type AgentCheckBody = Shape<typeof agentCheckShape>

// Stored and returned, not acted on.
const meshFields = {
  Kind: text,
  Proxy: opaqueObject,
  Connect: opaqueObject,
  Locality: opaqueObject,
  SocketPath: text,
}

export const serviceFields = {
  ...enterpriseFields,
  ...meshFields,
  ID: text,
  Tags: listOf(text),
  Address: text,
  TaggedAddresses: mapOf(taggedAddress),
  Meta: mapOf(text),
  Port: integer,
  Weights: weights,
  ...plainReaders,
}

/** PUT agent/service/register. */
export const agentServiceShape = object({
  ...serviceFields,
  Name: text,
  Check: serviceCheckShape,
  Checks: listOf(serviceCheckShape),
  Token: text,
})
export type AgentServiceBody = Shape<typeof agentServiceShape>

/** The service in PUT catalog/register: what catalog reads return may be sent back. */
export const catalogServiceShape = object({
  ...serviceFields,
  Service: text,
  PeerName: text,
  CreateIndex: integer,
  ModifyIndex: integer,
})
export type CatalogServiceBody = Shape<typeof catalogServiceShape>

export const checkDefinitionFields = {
  HTTP: text,
  TLSServerName: text,
  TLSSkipVerify: flag,
  Header: mapOf(listOf(text)),
  Method: text,
  Body: text,
  DisableRedirects: flag,
  TCP: text,
  TCPUseTLS: flag,
  UDP: text,
  H2PING: text,
  H2PingUseTLS: flag,
  OSService: text,
  Interval: duration,
  Timeout: duration,
  TTL: duration,
  DeregisterCriticalServiceAfter: duration,
  OutputMaxSize: integer,
  ScriptArgs: listOf(text),
  DockerContainerID: text,
  Shell: text,
  GRPC: text,
  GRPCUseTLS: flag,
  AliasNode: text,
  AliasService: text,
  SessionName: text,
}

/** Consul's own decoder takes any key here, alone. */
export const checkDefinitionShape = openObject(checkDefinitionFields)
export type CheckDefinitionBody = Shape<typeof checkDefinitionShape>

export const catalogCheckFields = {
  ...enterpriseFields,
  Node: text,
  CheckID: text,
  Name: text,
  Status: text,
  Notes: text,
  Output: text,
  Evidence: text,
  ServiceID: text,
  ServiceName: text,
  ServiceTags: listOf(text),
  Type: text,
  Interval: text,
  Timeout: text,
  ExposedPort: integer,
  PeerName: text,
  Definition: checkDefinitionShape,
  CreateIndex: integer,
  ModifyIndex: integer,
}

/** A check in PUT catalog/register. */
export const catalogCheckShape = object(catalogCheckFields)
export type CatalogCheckBody = Shape<typeof catalogCheckShape>

// Consul embeds its request envelope in these two bodies, so its fields are accepted as well.
const envelopeFields = {
  ...enterpriseFields,
  Datacenter: text,
  Node: text,
  PeerName: text,
  Token: text,
}

/** PUT catalog/register. */
export const catalogRegisterShape = object({
  ...envelopeFields,
  ID: text,
  Address: text,
  TaggedAddresses: mapOf(text),
  NodeMeta: mapOf(text),
  Service: catalogServiceShape,
  Check: catalogCheckShape,
  Checks: listOf(catalogCheckShape),
  Locality: opaque,
  SkipNodeUpdate: flag,
  CreateIndex: integer,
  ModifyIndex: integer,
})
export type CatalogRegisterBody = Shape<typeof catalogRegisterShape>

/** PUT catalog/deregister. Address is an obsolete field that old clients still send. */
export const catalogDeregisterShape = object({
  ...envelopeFields,
  ServiceID: text,
  CheckID: text,
  Address: text,
})

/** PUT agent/check/update. */
export const checkUpdateShape = object({ Status: text, Output: text })

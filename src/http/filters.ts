import { compileFilter } from '../filter/compile.ts'
import type { Filter } from '../filter/compile.ts'
import type { Field, Fields } from '../filter/fields.ts'
import { parameter } from './parameters.ts'
import { plainSelectors } from './plain-fields.ts'
import type { Parameters } from './parameters.ts'

// The selectors of Consul's rows: what `?filter=` may name, by endpoint.

const text: Field = { kind: 'string' }
const number: Field = { kind: 'integer' }
const flag: Field = { kind: 'boolean' }
const texts: Field = { kind: 'strings' }
const textMap: Field = { kind: 'map', of: text }
const object = (fields: Fields): Field => ({ kind: 'object', fields })
const objects = (fields: Fields): Field => ({ kind: 'objects', fields })

const meshGateway = object({ Mode: text })
const proxy = object({
  DestinationServiceID: text,
  DestinationServiceName: text,
  Expose: object({ Checks: flag }),
  LocalServiceAddress: text,
  LocalServicePort: number,
  MeshGateway: meshGateway,
  Mode: text,
  TransparentProxy: object({ DialedDirectly: flag, OutboundListenerPort: number }),
  Upstreams: objects({
    Datacenter: text,
    DestinationName: text,
    DestinationNamespace: text,
    DestinationType: text,
    LocalBindAddress: text,
    LocalBindPort: number,
    MeshGateway: meshGateway,
  }),
})
const connect = object({ Native: flag })
const weights = object({ Passing: number, Warning: number })
const locality = object({ Region: text, Zone: text })
const serviceAddresses: Field = { kind: 'map', of: object({ Address: text, Port: number }) }

/** Rows of catalog/nodes. */
export const nodeFields: Fields = {
  Address: text,
  Datacenter: text,
  ID: text,
  Meta: textMap,
  Node: text,
  PeerName: text,
  TaggedAddresses: textMap,
}

/** Services inside health/service, catalog/node and agent/services. */
export const serviceFields: Fields = {
  Address: text,
  Connect: connect,
  Datacenter: text,
  ...plainSelectors(),
  ID: text,
  Kind: text,
  Locality: locality,
  Meta: textMap,
  PeerName: text,
  Port: number,
  Proxy: proxy,
  Service: text,
  SocketPath: text,
  TaggedAddresses: serviceAddresses,
  Tags: texts,
  Weights: weights,
}

/** Rows of catalog/service. */
export const serviceNodeFields: Fields = {
  Address: text,
  Datacenter: text,
  ID: text,
  Node: text,
  NodeMeta: textMap,
  PeerName: text,
  ServiceAddress: text,
  ServiceConnect: connect,
  ...plainSelectors('Service'),
  ServiceID: text,
  ServiceKind: text,
  ServiceLocality: locality,
  ServiceMeta: textMap,
  ServiceName: text,
  ServicePort: number,
  ServiceProxy: proxy,
  ServiceSocketPath: text,
  ServiceTaggedAddresses: serviceAddresses,
  ServiceTags: texts,
  ServiceWeights: weights,
  TaggedAddresses: textMap,
}

/** Rows of health/checks, /node and /state, and of agent/checks. */
export const checkFields: Fields = {
  CheckID: text,
  Evidence: text,
  ExposedPort: number,
  Interval: text,
  Name: text,
  Node: text,
  Notes: text,
  Output: text,
  PeerName: text,
  ServiceID: text,
  ServiceName: text,
  ServiceTags: texts,
  Status: text,
  Timeout: text,
  Type: text,
}

/** Rows of health/service. */
export const instanceFields: Fields = {
  Checks: objects(checkFields),
  Node: object(nodeFields),
  Service: object(serviceFields),
}

/** Rows of connect/intentions. */
export const intentionFields: Fields = {
  Action: text,
  DefaultAddr: text,
  DefaultPort: number,
  Description: text,
  DestinationNS: text,
  DestinationName: text,
  ID: text,
  Meta: textMap,
  Precedence: number,
  SourceNS: text,
  SourceName: text,
  SourceType: text,
}

/** Rows of agent/members. */
export const memberFields: Fields = {
  Addr: text,
  Name: text,
  Port: number,
  Status: number,
  Tags: textMap,
}

/** The filter that `?filter=` asks for. Throws SvcdError `invalid-filter`. */
export function filterOf(parameters: Parameters, fields: Fields): Filter | undefined {
  const expression = parameter(parameters, 'filter') ?? ''
  return expression === '' ? undefined : compileFilter(expression, fields)
}

/** The rows that `filter` keeps. */
export function filtered<T>(rows: readonly T[], filter: Filter | undefined): readonly T[] {
  return filter === undefined ? rows : rows.filter((row) => filter(row))
}

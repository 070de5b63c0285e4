import { privateField } from '../state/catalog/model.ts'
import type { Check, Instance, Node, Service, TaggedAddress } from '../state/catalog/model.ts'

import { plainJsonOf } from './plain-fields.ts'

// The catalog's rows in Consul's JSON. Maps and lists are never null: clients index into them.

const plainJson = plainJsonOf()
const servicePlainJson = plainJsonOf('Service')

export function nodeJson(node: Node, datacenter: string) {
  return {
    ID: node.id,
    Node: node.name,
    Address: node.address,
    Datacenter: datacenter,
    TaggedAddresses: node.taggedAddresses,
    Meta: node.meta,
    CreateIndex: node.createIndex,
    ModifyIndex: node.modifyIndex,
  }
}

/** Consul's AgentService, as the agent endpoints list it. */
export function agentServiceJson(service: Service, datacenter: string) {
  const { Proxy: proxy, ...extra } = service.extra
  return {
    ...(extra['Kind'] === undefined ? undefined : { Kind: extra['Kind'] }),
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Meta: service.meta,
    Port: service.port,
    Address: service.address,
    ...taggedAddresses('TaggedAddresses', service.taggedAddresses),
    Weights: weightsJson(service),
    ...plainJson(service),
    ...(proxy === undefined ? undefined : { Proxy: proxy }),
    ...extra,
    Datacenter: datacenter,
  }
}

/** Consul's NodeService, inside health/service and catalog/node. */
export function nodeServiceJson(service: Service) {
  const { Proxy: proxy, Connect: connect, ...extra } = service.extra
  return {
    ...extra,
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Address: service.address,
    ...taggedAddresses('TaggedAddresses', service.taggedAddresses),
    Meta: service.meta,
    Port: service.port,
    Weights: weightsJson(service),
    ...plainJson(service),
    Proxy: proxyJson(proxy),
    Connect: connect ?? {},
    PeerName: '',
    CreateIndex: service.createIndex,
    ModifyIndex: service.modifyIndex,
  }
}

/** Consul's ServiceNode, the rows of catalog/service. */
export function serviceNodeJson({ node, service }: Instance, datacenter: string) {
  const { extra } = service
  return {
    ID: node.id,
    Node: node.name,
    Address: node.address,
    Datacenter: datacenter,
    TaggedAddresses: node.taggedAddresses,
    NodeMeta: node.meta,
    ServiceKind: extra['Kind'] ?? '',
    ServiceID: service.id,
    ServiceName: service.name,
    ServiceTags: service.tags,
    ServiceAddress: service.address,
    ...taggedAddresses('ServiceTaggedAddresses', service.taggedAddresses),
    ServiceWeights: weightsJson(service),
    ServiceMeta: service.meta,
    ServicePort: service.port,
    ServiceSocketPath: extra['SocketPath'] ?? '',
    ...servicePlainJson(service),
    ServiceProxy: proxyJson(extra['Proxy']),
    ServiceConnect: extra['Connect'] ?? {},
    ServiceLocality: extra['Locality'] ?? null,
    CreateIndex: service.createIndex,
    ModifyIndex: service.modifyIndex,
  }
}

export function checkJson(check: Check) {
  return {
    Node: check.node,
    CheckID: check.checkId,
    Name: check.name,
    Status: check.status,
    Notes: check.notes,
    Output: check.output,
    // A field of svcd's. Undefined is left out of the JSON.
    Evidence: check.evidence === '' ? undefined : check.evidence,
    ServiceID: check.serviceId,
    ServiceName: check.serviceName,
    ServiceTags: check.serviceTags,
    Type: check.type,
    Interval: check.interval,
    Timeout: check.timeout,
    ExposedPort: 0,
    Definition: shownDefinition(check.definition),
    CreateIndex: check.createIndex,
    ModifyIndex: check.modifyIndex,
  }
}

function shownDefinition(definition: Check['definition']): Check['definition'] {
  if (!(privateField in definition)) return definition
  const { [privateField]: _hidden, ...shown } = definition
  return shown
}

/** Consul's CheckServiceNode, the rows of health/service. */
export function instanceJson(instance: Instance, datacenter: string) {
  return {
    Node: nodeJson(instance.node, datacenter),
    Service: nodeServiceJson(instance.service),
    Checks: instance.checks.map(checkJson),
  }
}

function weightsJson(service: Service) {
  return { Passing: service.weights.passing, Warning: service.weights.warning }
}

function proxyJson(proxy: unknown) {
  return { MeshGateway: {}, Expose: {}, ...(proxy as object | undefined) }
}

function taggedAddresses(
  key: string,
  tagged: Readonly<Record<string, TaggedAddress>>,
): Record<string, unknown> | undefined {
  const entries = Object.entries(tagged)
  if (entries.length === 0) return undefined
  const json = entries.map(([tag, { address, port }]) => [tag, { Address: address, Port: port }])
  return { [key]: Object.fromEntries(json) as unknown }
}

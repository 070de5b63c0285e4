import { list, map, object, opaque, schemaNamed, text, textMap, texts, whole } from './schemas.ts'

import { laterPlain, plainSchemas } from './plain-fields.ts'

// The rows that `encode.ts` makes, which several families answer with.

export const indexes = { CreateIndex: whole, ModifyIndex: whole }
const weights = object({ Passing: whole, Warning: whole })
const addresses = map(object({ Address: text, Port: whole }))

const node = {
  ID: text,
  Node: text,
  Address: text,
  Datacenter: text,
  TaggedAddresses: textMap,
}

const service = {
  ID: text,
  Service: text,
  Tags: texts,
  Meta: textMap,
  Port: whole,
  Address: text,
  TaggedAddresses: addresses,
  Weights: weights,
  ...plainSchemas(),
}

export const nodeRow = schemaNamed('Node', object({ ...node, Meta: textMap, ...indexes }))

export const agentServiceRow = schemaNamed(
  'AgentService',
  object(
    { ...service, Datacenter: text, Kind: text, Proxy: opaque, Connect: opaque, ContentHash: text },
    `TaggedAddresses Kind Proxy Connect ContentHash ${laterPlain()}`,
  ),
)

export const nodeServiceRow = schemaNamed(
  'NodeService',
  object(
    { ...service, Kind: text, Proxy: opaque, Connect: opaque, PeerName: text, ...indexes },
    `TaggedAddresses Kind ${laterPlain()}`,
  ),
)

export const serviceNodeRow = schemaNamed(
  'ServiceNode',
  object(
    {
      ...node,
      NodeMeta: textMap,
      ServiceKind: text,
      ServiceID: text,
      ServiceName: text,
      ServiceTags: texts,
      ServiceAddress: text,
      ServiceTaggedAddresses: addresses,
      ServiceWeights: weights,
      ServiceMeta: textMap,
      ServicePort: whole,
      ServiceSocketPath: text,
      ...plainSchemas('Service'),
      ServiceProxy: opaque,
      ServiceConnect: opaque,
      ...indexes,
    },
    `ServiceTaggedAddresses ${laterPlain('Service')}`,
  ),
)

export const checkRow = schemaNamed(
  'HealthCheck',
  object(
    {
      Node: text,
      CheckID: text,
      Name: text,
      Status: { type: 'string', enum: ['passing', 'warning', 'critical'] },
      Notes: text,
      Output: text,
      Evidence: { type: 'string', enum: ['proof', 'absence', 'intent'] },
      ServiceID: text,
      ServiceName: text,
      ServiceTags: texts,
      Type: text,
      Interval: text,
      Timeout: text,
      ExposedPort: whole,
      Definition: opaque,
      ...indexes,
    },
    'Evidence',
  ),
)

export const instanceRow = schemaNamed(
  'ServiceEntry',
  object({ Node: nodeRow, Service: nodeServiceRow, Checks: list(checkRow) }),
)

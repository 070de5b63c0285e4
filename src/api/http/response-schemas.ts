import type { JsonSchema } from '../../definition/decode.ts'

// Consul's answers as JSON Schema, by name. They only document; tests alone check answers against them.

const text: JsonSchema = { type: 'string' }
const flag: JsonSchema = { type: 'boolean' }
const whole: JsonSchema = { type: 'integer' }
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items })
const map = (additionalProperties: JsonSchema): JsonSchema => ({
  type: 'object',
  additionalProperties,
})
const texts = list(text)
const textMap = map(text)

/** An object with at least these fields. */
function object(properties: Readonly<Record<string, JsonSchema>>, optional = ''): JsonSchema {
  const left = new Set(optional.split(' '))
  const required = Object.keys(properties).filter((name) => !left.has(name))
  return { type: 'object', properties, required }
}

function ref(name: string): JsonSchema {
  return { $ref: `${name}#` }
}

const indexes = { CreateIndex: whole, ModifyIndex: whole }
const weights = object({ Passing: whole, Warning: whole })
const addresses = map(object({ Address: text, Port: whole }))
const opaque: JsonSchema = { type: 'object' }

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
  EnableTagOverride: flag,
}

/** Schemas that routes refer to by name. */
export const namedSchemas: Readonly<Record<string, JsonSchema>> = {
  Node: object({ ...node, Meta: textMap, ...indexes }),
  AgentService: object(
    { ...service, Datacenter: text, Kind: text, Proxy: opaque, Connect: opaque, ContentHash: text },
    'TaggedAddresses Kind Proxy Connect ContentHash',
  ),
  NodeService: object(
    { ...service, Kind: text, Proxy: opaque, Connect: opaque, PeerName: text, ...indexes },
    'TaggedAddresses Kind',
  ),
  ServiceNode: object(
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
      ServiceEnableTagOverride: flag,
      ServiceProxy: opaque,
      ServiceConnect: opaque,
      ...indexes,
    },
    'ServiceTaggedAddresses',
  ),
  HealthCheck: object({
    Node: text,
    CheckID: text,
    Name: text,
    Status: { type: 'string', enum: ['passing', 'warning', 'critical'] },
    Notes: text,
    Output: text,
    ServiceID: text,
    ServiceName: text,
    ServiceTags: texts,
    Type: text,
    Interval: text,
    Timeout: text,
    ExposedPort: whole,
    Definition: opaque,
    ...indexes,
  }),
  ServiceEntry: object({
    Node: ref('Node'),
    Service: ref('NodeService'),
    Checks: list(ref('HealthCheck')),
  }),
  ServiceHealth: {
    type: 'object',
    properties: {
      AggregatedStatus: text,
      Service: { anyOf: [ref('AgentService'), { type: 'null' }] },
      Checks: { anyOf: [list(ref('HealthCheck')), { type: 'null' }] },
    },
    required: ['AggregatedStatus', 'Service', 'Checks'],
  },
  Member: object({ Name: text, Addr: text, Port: whole, Tags: textMap, Status: whole }),
  Agent: object({
    Config: opaque,
    DebugConfig: opaque,
    Coord: opaque,
    Stats: opaque,
    Meta: opaque,
    xDS: opaque,
  }),
  RaftConfiguration: object({
    Servers: list(object({ ID: text, Node: text, Address: text, Leader: flag, Voter: flag })),
    Index: whole,
  }),
  OperatorHealth: object({
    Healthy: flag,
    FailureTolerance: whole,
    Servers: list(
      object({
        ID: text,
        Name: text,
        Address: text,
        SerfStatus: text,
        Version: text,
        Leader: flag,
        LastContact: text,
        LastTerm: whole,
        LastIndex: whole,
        Healthy: flag,
        Voter: flag,
        StableSince: { type: 'string', format: 'date-time' },
      }),
    ),
  }),
  AutopilotConfiguration: object({
    CleanupDeadServers: flag,
    LastContactThreshold: text,
    MaxTrailingLogs: whole,
    MinQuorum: whole,
    ServerStabilizationTime: text,
    RedundancyZoneTag: text,
    DisableUpgradeMigration: flag,
    UpgradeVersionTag: text,
    ...indexes,
  }),
  Host: object({
    Memory: { anyOf: [opaque, { type: 'null' }] },
    CPU: list(opaque),
    Host: opaque,
    Disk: { anyOf: [opaque, { type: 'null' }] },
    CollectionTime: whole,
    Errors: { anyOf: [texts, { type: 'null' }] },
  }),
}

/** The answers of routes, by the name in the table of routes. */
export const answerSchemas = {
  true: { type: 'boolean', enum: [true] },
  text,
  texts,
  object: opaque,
  nodes: list(ref('Node')),
  services: map(texts),
  serviceNodes: list(ref('ServiceNode')),
  node: {
    anyOf: [object({ Node: ref('Node'), Services: map(ref('NodeService')) }), { type: 'null' }],
  },
  nodeServices: object({
    Node: { anyOf: [ref('Node'), { type: 'null' }] },
    Services: { anyOf: [list(ref('NodeService')), { type: 'null' }] },
  }),
  entries: list(ref('ServiceEntry')),
  checks: list(ref('HealthCheck')),
  summaries: list(
    object({
      Name: text,
      Tags: texts,
      Passing: whole,
      Warning: whole,
      Critical: whole,
      Maintenance: whole,
    }),
  ),
  times: object({ Times: textMap, Oldest: text, Newest: text }),
  agentServices: map(ref('AgentService')),
  agentService: ref('AgentService'),
  agentChecks: map(ref('HealthCheck')),
  serviceHealth: ref('ServiceHealth'),
  serviceHealths: list(ref('ServiceHealth')),
  members: list(ref('Member')),
  agent: ref('Agent'),
  raft: ref('RaftConfiguration'),
  autopilot: ref('OperatorHealth'),
  flag,
  autopilotConfiguration: ref('AutopilotConfiguration'),
  host: ref('Host'),
  version: object({
    SHA: text,
    BuildDate: text,
    HumanVersion: text,
    FIPS: text,
    SvcdVersion: text,
  }),
  success: object({ Success: flag }),
  reload: object({ Taken: texts, LeftOut: texts, HeldBack: texts, RestartNeeded: texts }),
} as const satisfies Readonly<Record<string, JsonSchema>>

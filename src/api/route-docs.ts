import { autopilotShape } from './autopilot.ts'
import type { JsonSchema, Reader } from './decode.ts'
import type { answerSchemas } from './response-schemas.ts'
import {
  agentCheckShape,
  agentServiceShape,
  catalogDeregisterShape,
  catalogRegisterShape,
  checkUpdateShape,
} from './shapes.ts'

/** What a route's schema is made of. */
export interface RouteDoc {
  readonly summary: string
  /** What stands behind the prefix of a `/*` route. */
  readonly argument?: string
  /** Names of {@link queryDocs}, separated by spaces. */
  readonly query?: string
  readonly body?: Reader<unknown>
  /** What 200 carries; left out = nothing. */
  readonly answer?: keyof typeof answerSchemas | 'stream' | 'lines' | 'archive'
  /** Statuses besides 200, 400 and 500 whose body is text. */
  readonly errors?: readonly number[]
  /** Statuses that carry the answer, too. */
  readonly alsoAnswers?: readonly number[]
}

const text: JsonSchema = { type: 'string' }
const flag: JsonSchema = { type: 'boolean' }
const texts: JsonSchema = { type: 'array', items: text }

/** The query parameters that there are. */
export const queryDocs: Readonly<Record<string, JsonSchema>> = {
  address: { ...text, description: 'host:port of a server' },
  cas: { type: 'integer', minimum: 0, description: 'only if ModifyIndex still is this' },
  cached: { ...flag, description: 'accepted; there is no agent cache' },
  consistent: { ...flag, description: 'after a majority has confirmed the leader' },
  dc: { ...text, description: 'this datacenter; another is a 500' },
  enable: { ...flag, description: 'on or off' },
  entry: { ...texts, description: 'the index of an entry of the log' },
  filter: { ...text, description: 'an expression that chooses rows' },
  format: { ...text, description: 'text for a plain answer' },
  hash: { ...text, description: 'wait while X-Consul-ContentHash is this' },
  heartbeat: { ...flag, description: 'an empty line every 15 s' },
  id: { ...text, description: 'the ID of a server' },
  index: { type: 'integer', minimum: 0, description: 'wait until X-Consul-Index is above this' },
  logjson: { ...flag, description: 'one JSON object a line' },
  loglevel: { ...text, description: 'trace, debug, info, warn or error; info unless told' },
  max_stale: { ...text, description: 'a duration; implies stale' },
  near: { ...text, description: 'accepted; orders nothing' },
  node: { ...text, description: 'only what is on this node' },
  'node-meta': { ...texts, description: 'key:value; all must hold' },
  note: { ...text, description: 'the output of the check' },
  passing: { ...flag, description: 'only instances all of whose checks pass' },
  pretty: { ...flag, description: 'indented' },
  reason: { ...text, description: 'why' },
  'replace-existing-checks': { ...flag, description: 'remove the checks that are not given' },
  service: { ...text, description: 'only the checks of this service' },
  stale: { ...flag, description: 'what this server has, at once' },
  state: { ...text, description: 'only checks of this state' },
  tag: { ...texts, description: 'instances must carry all of them' },
  wan: { ...flag, description: 'names with the datacenter' },
  wait: { ...text, description: 'how long to wait, 5m unless told, 10m at most' },
}

const consistency = 'stale consistent max_stale dc'
const read = `index wait cached ${consistency} pretty`
const rows = `filter node-meta ${read}`
const agent = 'dc pretty'
const watch = `index ${consistency} filter`

/** Every route under /v1, by method and path. */
export const routeDocs: Readonly<Record<string, RouteDoc>> = {
  'PUT agent/service/register': {
    summary: 'Register a service of this agent',
    query: 'replace-existing-checks',
    body: agentServiceShape,
    errors: [413, 503],
  },
  'PUT agent/service/deregister/*': {
    summary: 'Remove a service of this agent',
    argument: 'service_id',
    errors: [404, 503],
  },
  'PUT agent/service/maintenance/*': {
    summary: 'Take a service out of answers, or bring it back',
    argument: 'service_id',
    query: 'enable reason',
    errors: [404, 503],
  },
  'GET agent/services': {
    summary: 'The services of this agent',
    query: `filter ${agent}`,
    answer: 'agentServices',
  },
  'GET agent/service/*': {
    summary: 'One service of this agent',
    argument: 'service_id',
    query: `hash wait ${agent}`,
    answer: 'agentService',
    errors: [404],
  },
  'GET agent/health/service/id/*': {
    summary: 'The health of a service of this agent, as a status',
    argument: 'service_id',
    query: 'format pretty',
    answer: 'serviceHealth',
    alsoAnswers: [404, 429, 503],
  },
  'GET agent/health/service/name/*': {
    summary: 'The health of the services of a name on this agent, as a status',
    argument: 'service',
    query: 'format pretty',
    answer: 'serviceHealths',
    alsoAnswers: [404, 429, 503],
  },
  'GET agent/checks': {
    summary: 'The checks of this agent',
    query: `filter ${agent}`,
    answer: 'agentChecks',
  },
  'PUT agent/check/register': {
    summary: 'Register a check of this agent',
    body: agentCheckShape,
    errors: [404, 413, 503],
  },
  'PUT agent/check/deregister/*': {
    summary: 'Remove a check of this agent',
    argument: 'check_id',
    errors: [404, 503],
  },
  ...Object.fromEntries(
    ['pass', 'warn', 'fail'].map((verb) => [
      `PUT agent/check/${verb}/*`,
      {
        summary: `A TTL check reports: ${verb}`,
        argument: 'check_id',
        query: 'note',
        errors: [404, 503],
      },
    ]),
  ),
  'PUT agent/check/update/*': {
    summary: 'A TTL check reports its status and output',
    argument: 'check_id',
    body: checkUpdateShape,
    errors: [404, 503],
  },
  'PUT agent/maintenance': {
    summary: 'Take this node out of answers, or bring it back',
    query: 'enable reason',
    errors: [503],
  },
  'PUT agent/reload': {
    summary: 'Read configuration, service and zone files again',
    query: 'pretty',
    answer: 'reload',
  },
  'GET agent/debug': {
    summary: 'What to send along with a report of a fault',
    query: 'pretty',
    answer: 'object',
  },
  'GET agent/host': {
    summary: 'The machine that this agent runs on',
    query: 'pretty',
    answer: 'host',
  },
  'GET agent/version': { summary: 'Versions', query: 'pretty', answer: 'version' },
  'GET agent/monitor': {
    summary: 'The log of this agent from now on, line by line',
    query: 'loglevel logjson heartbeat',
    answer: 'lines',
    errors: [403, 503],
  },
  'GET agent/self': { summary: 'This agent', query: 'pretty', answer: 'agent' },
  'GET agent/members': {
    summary: 'The servers of the cluster',
    query: `wan filter ${agent}`,
    answer: 'members',
  },
  'PUT agent/leave': { summary: 'Leave the cluster, and stop' },
  'PUT agent/join/*': { summary: 'Look for a cluster at an address too', argument: 'address' },
  'PUT agent/force-leave/*': { summary: 'Take a dead server out of the cluster', argument: 'node' },
  'PUT catalog/register': {
    summary: 'Register a node, a service or checks that others look after',
    query: 'dc',
    body: catalogRegisterShape,
    answer: 'true',
    errors: [404, 413, 503],
  },
  'PUT catalog/deregister': {
    summary: 'Remove a node, a service or a check',
    query: 'dc',
    body: catalogDeregisterShape,
    answer: 'true',
    errors: [503],
  },
  'GET catalog/datacenters': { summary: 'The datacenters', query: 'pretty', answer: 'texts' },
  'GET catalog/nodes': { summary: 'All nodes', query: `${rows} near`, answer: 'nodes' },
  'GET catalog/services': {
    summary: 'The names of all services, each with its tags',
    query: rows,
    answer: 'services',
  },
  'GET catalog/service/*': {
    summary: 'The instances of a service, whatever their health',
    argument: 'service',
    query: `tag ${rows} near`,
    answer: 'serviceNodes',
  },
  'GET catalog/node/*': {
    summary: 'A node with a map of its services',
    argument: 'node',
    query: `filter ${read}`,
    answer: 'node',
  },
  'GET catalog/node-services/*': {
    summary: 'A node with a list of its services',
    argument: 'node',
    query: `filter ${read}`,
    answer: 'nodeServices',
  },
  'GET health/service/*': {
    summary: 'The instances of a service with their checks',
    argument: 'service',
    query: `passing tag ${rows} near`,
    answer: 'entries',
  },
  'GET catalog/connect/*': {
    summary: 'The instances through which a service is reached in a mesh',
    argument: 'service',
    query: `tag ${rows} near`,
    answer: 'serviceNodes',
  },
  'GET catalog/gateway-services/*': {
    summary: 'The services of a gateway: none',
    argument: 'gateway',
    query: read,
    answer: 'entries',
  },
  'GET health/connect/*': {
    summary: 'The instances through which a service is reached in a mesh, with their checks',
    argument: 'service',
    query: `passing tag ${rows} near`,
    answer: 'entries',
  },
  'GET health/ingress/*': {
    summary: 'The ingress gateways of a service: none',
    argument: 'service',
    query: `passing ${rows} near`,
    answer: 'entries',
  },
  'GET health/checks/*': {
    summary: 'The checks of a service',
    argument: 'service',
    query: `${rows} near`,
    answer: 'checks',
  },
  'GET health/node/*': {
    summary: 'The checks of a node',
    argument: 'node',
    query: `filter ${read}`,
    answer: 'checks',
  },
  'GET health/state/*': {
    summary: 'The checks of one state, or of any',
    argument: 'state',
    query: `${rows} near`,
    answer: 'checks',
  },
  'GET health/summary': {
    summary: 'How many instances of each service are in which health',
    query: `node tag filter node-meta ${consistency} pretty`,
    answer: 'summaries',
  },
  'GET watch/service/*': {
    summary: 'health/service as a stream of events',
    argument: 'service',
    query: `passing tag node-meta ${watch}`,
    answer: 'stream',
  },
  'GET watch/node/*': {
    summary: 'catalog/node as a stream of events',
    argument: 'node',
    query: watch,
    answer: 'stream',
  },
  'GET watch/services': {
    summary: 'catalog/services as a stream of events',
    query: `node-meta ${watch}`,
    answer: 'stream',
  },
  'GET watch/nodes': {
    summary: 'catalog/nodes as a stream of events',
    query: `node-meta ${watch}`,
    answer: 'stream',
  },
  'GET watch/checks': {
    summary: 'Checks as a stream of events',
    query: `service node state node-meta ${watch}`,
    answer: 'stream',
  },
  'GET agent/metrics': {
    summary: 'What this node counts and measures; `format=prometheus` for text',
    query: 'format pretty',
    answer: 'object',
  },
  'GET agent/metrics/stream': {
    summary: 'The same every ten seconds, a line of JSON each',
    answer: 'lines',
    errors: [403, 503],
  },
  'GET status/leader': {
    summary: 'host:port of the leader, or nothing',
    query: 'dc pretty',
    answer: 'text',
  },
  'GET status/peers': {
    summary: 'host:port of every voter',
    query: 'dc pretty',
    answer: 'texts',
  },
  'GET status/times': {
    summary: 'When entries of the log were written',
    query: 'entry pretty',
    answer: 'times',
  },
  'GET operator/raft/configuration': {
    summary: 'The servers as Raft has them',
    query: `${consistency} pretty`,
    answer: 'raft',
  },
  'DELETE operator/raft/peer': { summary: 'Remove a server', query: 'id address' },
  'PUT operator/raft/peer': { summary: 'Let a server in', query: 'id address' },
  'PUT operator/raft/transfer-leader': {
    summary: 'Let another server lead',
    query: 'id',
    answer: 'success',
  },
  'POST operator/raft/transfer-leader': {
    summary: 'Let another server lead',
    query: 'id',
    answer: 'success',
  },
  'GET operator/autopilot/health': {
    summary: 'Whether all servers live',
    query: `${consistency} pretty`,
    answer: 'autopilot',
    alsoAnswers: [429],
  },
  'GET operator/autopilot/configuration': {
    summary: 'What the health of servers is judged by',
    query: `${consistency} pretty`,
    answer: 'autopilotConfiguration',
  },
  'PUT operator/autopilot/configuration': {
    summary: 'Accepted when it asks for what holds already',
    query: 'cas dc',
    body: autopilotShape,
    answer: 'flag',
  },
  'GET snapshot': { summary: 'The state as an archive', query: consistency, answer: 'archive' },
  'PUT snapshot': { summary: 'Make the catalog what an archive says', query: 'dc' },
  'GET openapi.json': { summary: 'This document', answer: 'object' },
}

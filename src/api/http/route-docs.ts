import { autopilotShape } from '../endpoints/operator/autopilot.ts'
import type { JsonSchema, Reader } from '../../definition/decode.ts'
import type { answerSchemas } from './response-schemas.ts'
import {
  agentCheckShape,
  agentServiceShape,
  catalogDeregisterShape,
  catalogRegisterShape,
  checkUpdateShape,
} from '../../definition/shapes.ts'

/** The parts of a route's schema. */
export interface RouteDoc {
  readonly summary: string
  /** The name of the argument of a `/*` route. */
  readonly argument?: string
  /** Names of {@link queryDocs}, separated by spaces. */
  readonly query?: string
  readonly body?: Reader<unknown>
  /** The body of a 200 answer; left out = empty. */
  readonly answer?: keyof typeof answerSchemas | 'stream' | 'lines' | 'archive'
  /** Statuses besides 200, 400 and 500 whose body is text. */
  readonly errors?: readonly number[]
  /** Other statuses whose body is the answer. */
  readonly alsoAnswers?: readonly number[]
}

const text: JsonSchema = { type: 'string' }
const flag: JsonSchema = { type: 'boolean' }
const texts: JsonSchema = { type: 'array', items: text }

/** All query parameters. */
export const queryDocs: Readonly<Record<string, JsonSchema>> = {
  address: { ...text, description: 'The host:port of a server' },
  cas: {
    type: 'integer',
    minimum: 0,
    description: 'Apply the request only if ModifyIndex has this value',
  },
  cached: { ...flag, description: 'Accepted; the copy of this server is the cache' },
  consistent: { ...flag, description: 'Answer after a majority has confirmed the leader' },
  dc: { ...text, description: 'This datacenter; any other is answered with 500' },
  enable: { ...flag, description: 'true turns maintenance mode on, false turns it off' },
  entry: { ...texts, description: 'The index of a log entry; may be repeated' },
  filter: { ...text, description: 'Return only the rows that match this expression' },
  format: {
    ...text,
    description: 'A format other than JSON: text (agent/health) or prometheus (metrics)',
  },
  hash: { ...text, description: 'Wait while X-Consul-ContentHash has this value' },
  heartbeat: { ...flag, description: 'Send an empty line every 15 s' },
  id: { ...text, description: 'The ID of a server' },
  index: {
    type: 'integer',
    minimum: 0,
    description: 'Wait until X-Consul-Index is above this value',
  },
  logjson: { ...flag, description: 'Send one JSON object per line' },
  loglevel: { ...text, description: 'trace, debug, info (the default), warn or error' },
  max_stale: { ...text, description: 'A duration; implies stale' },
  near: { ...text, description: 'Accepted; does not change the order' },
  node: { ...text, description: 'Return only entries of this node' },
  'node-meta': {
    ...texts,
    description: 'key:value; return only entries of nodes with this metadata; may be repeated',
  },
  note: { ...text, description: 'The output of the check' },
  passing: { ...flag, description: 'Return only instances whose checks all pass' },
  pretty: { ...flag, description: 'Indent the JSON' },
  reason: { ...text, description: 'Why maintenance mode is enabled' },
  'replace-existing-checks': {
    ...flag,
    description: 'Remove the checks of the service that the body does not list',
  },
  service: { ...text, description: 'Return only the checks of this service' },
  stale: {
    ...flag,
    description: 'Answer immediately from the copy of this server, even without a leader',
  },
  state: { ...text, description: 'Return only checks in this state' },
  tag: { ...texts, description: 'Return only instances with this tag; may be repeated' },
  wan: { ...flag, description: 'Add the datacenter to each name' },
  wait: {
    ...text,
    description: 'How long to wait at most: 5m by default (10m with hash), no more than 10m',
  },
}

const consistency = 'stale consistent max_stale dc'
const read = `index wait cached ${consistency} pretty`
const rows = `filter node-meta ${read}`
const agent = 'dc pretty'
const watch = `index ${consistency} filter`

/** Every route under /v1, by method and path. */
export const routeDocs: Readonly<Record<string, RouteDoc>> = {
  'PUT agent/service/register': {
    summary: 'Register a service with this agent',
    query: 'replace-existing-checks',
    body: agentServiceShape,
    errors: [413, 503],
  },
  'PUT agent/service/deregister/*': {
    summary: 'Deregister a service of this agent',
    argument: 'service_id',
    errors: [404, 503],
  },
  'PUT agent/service/maintenance/*': {
    summary: 'Enable or disable maintenance mode for a service',
    argument: 'service_id',
    query: 'enable reason',
    errors: [404, 503],
  },
  'GET agent/services': {
    summary: 'List the services of this agent',
    query: `filter ${agent}`,
    answer: 'agentServices',
  },
  'GET agent/service/*': {
    summary: 'Read one service of this agent',
    argument: 'service_id',
    query: `hash wait ${agent}`,
    answer: 'agentService',
    errors: [404],
  },
  'GET agent/health/service/id/*': {
    summary: 'Read the health of a service of this agent as an HTTP status',
    argument: 'service_id',
    query: 'format pretty',
    answer: 'serviceHealth',
    alsoAnswers: [404, 429, 503],
  },
  'GET agent/health/service/name/*': {
    summary: 'Read the health of all services with a name on this agent as an HTTP status',
    argument: 'service',
    query: 'format pretty',
    answer: 'serviceHealths',
    alsoAnswers: [404, 429, 503],
  },
  'GET agent/checks': {
    summary: 'List the checks of this agent',
    query: `filter ${agent}`,
    answer: 'agentChecks',
  },
  'PUT agent/check/register': {
    summary: 'Register a check with this agent',
    body: agentCheckShape,
    errors: [404, 413, 503],
  },
  'PUT agent/check/deregister/*': {
    summary: 'Deregister a check of this agent',
    argument: 'check_id',
    errors: [404, 503],
  },
  ...Object.fromEntries(
    ['pass', 'warn', 'fail'].map((verb) => [
      `PUT agent/check/${verb}/*`,
      {
        summary: `Report the status of a TTL check: ${verb}`,
        argument: 'check_id',
        query: 'note',
        errors: [404, 503],
      },
    ]),
  ),
  'PUT agent/check/update/*': {
    summary: 'Report the status and output of a TTL check',
    argument: 'check_id',
    body: checkUpdateShape,
    errors: [404, 503],
  },
  'PUT agent/maintenance': {
    summary: 'Enable or disable maintenance mode for this node',
    query: 'enable reason',
    errors: [503],
  },
  'PUT agent/reload': {
    summary: 'Reload configuration, service and zone files',
    query: 'pretty',
    answer: 'reload',
  },
  'GET agent/debug': {
    summary: 'Read the details to attach to a bug report',
    query: 'pretty',
    answer: 'object',
  },
  'GET agent/host': {
    summary: 'Describe the machine that this agent runs on',
    query: 'pretty',
    answer: 'host',
  },
  'GET agent/version': {
    summary: 'Read the versions of the API and of svcd',
    query: 'pretty',
    answer: 'version',
  },
  'GET agent/monitor': {
    summary: 'Stream the log of this agent line by line, starting now',
    query: 'loglevel logjson heartbeat',
    answer: 'lines',
    errors: [403, 503],
  },
  'GET agent/self': { summary: 'Describe this agent', query: 'pretty', answer: 'agent' },
  'GET agent/members': {
    summary: 'List the servers of the cluster',
    query: `wan filter ${agent}`,
    answer: 'members',
  },
  'PUT agent/leave': { summary: 'Leave the cluster and stop the agent' },
  'PUT agent/join/*': { summary: 'Look for a cluster at an address', argument: 'address' },
  'PUT agent/force-leave/*': {
    summary: 'Remove a failed server from the cluster',
    argument: 'node',
  },
  'PUT catalog/register': {
    summary: 'Register a node, a service or checks that another program maintains',
    query: 'dc',
    body: catalogRegisterShape,
    answer: 'true',
    errors: [404, 413, 503],
  },
  'PUT catalog/deregister': {
    summary: 'Deregister a node, a service or a check',
    query: 'dc',
    body: catalogDeregisterShape,
    answer: 'true',
    errors: [503],
  },
  'GET catalog/datacenters': { summary: 'List the datacenters', query: 'pretty', answer: 'texts' },
  'GET catalog/nodes': { summary: 'List all nodes', query: `${rows} near`, answer: 'nodes' },
  'GET catalog/services': {
    summary: 'List the names of all services with their tags',
    query: rows,
    answer: 'services',
  },
  'GET catalog/service/*': {
    summary: 'List the instances of a service, whatever their health',
    argument: 'service',
    query: `tag ${rows} near`,
    answer: 'serviceNodes',
  },
  'GET catalog/node/*': {
    summary: 'Read a node with a map of its services',
    argument: 'node',
    query: `filter ${read}`,
    answer: 'node',
  },
  'GET catalog/node-services/*': {
    summary: 'Read a node with a list of its services',
    argument: 'node',
    query: `filter ${read}`,
    answer: 'nodeServices',
  },
  'GET health/service/*': {
    summary: 'List the instances of a service with their checks',
    argument: 'service',
    query: `passing tag ${rows} near`,
    answer: 'entries',
  },
  'GET catalog/connect/*': {
    summary: 'List the instances that connect to a service in a mesh',
    argument: 'service',
    query: `tag ${rows} near`,
    answer: 'serviceNodes',
  },
  'GET catalog/gateway-services/*': {
    summary: 'List the services of a gateway (always none)',
    argument: 'gateway',
    query: read,
    answer: 'entries',
  },
  'GET health/connect/*': {
    summary: 'List the instances that connect to a service in a mesh, with their checks',
    argument: 'service',
    query: `passing tag ${rows} near`,
    answer: 'entries',
  },
  'GET health/ingress/*': {
    summary: 'List the ingress gateways of a service (always none)',
    argument: 'service',
    query: `passing ${rows} near`,
    answer: 'entries',
  },
  'GET health/checks/*': {
    summary: 'List the checks of a service',
    argument: 'service',
    query: `${rows} near`,
    answer: 'checks',
  },
  'GET health/node/*': {
    summary: 'List the checks of a node',
    argument: 'node',
    query: `filter ${read}`,
    answer: 'checks',
  },
  'GET health/state/*': {
    summary: 'List the checks in one state, or in any state',
    argument: 'state',
    query: `${rows} near`,
    answer: 'checks',
  },
  'GET health/summary': {
    summary: 'Count the instances of each service by health',
    query: `node tag filter node-meta ${consistency} pretty`,
    answer: 'summaries',
  },
  'GET watch/service/*': {
    summary: 'Stream health/service as events',
    argument: 'service',
    query: `passing tag node-meta ${watch}`,
    answer: 'stream',
  },
  'GET watch/node/*': {
    summary: 'Stream catalog/node as events',
    argument: 'node',
    query: watch,
    answer: 'stream',
  },
  'GET watch/services': {
    summary: 'Stream catalog/services as events',
    query: `node-meta ${watch}`,
    answer: 'stream',
  },
  'GET watch/nodes': {
    summary: 'Stream catalog/nodes as events',
    query: `node-meta ${watch}`,
    answer: 'stream',
  },
  'GET watch/checks': {
    summary: 'Stream checks as events',
    query: `service node state node-meta ${watch}`,
    answer: 'stream',
  },
  'GET agent/metrics': {
    summary: 'Read the metrics of this agent as JSON, or as text with format=prometheus',
    query: 'format pretty',
    answer: 'object',
  },
  'GET agent/metrics/stream': {
    summary: 'Stream the metrics every ten seconds, one JSON object per line',
    answer: 'lines',
    errors: [403, 503],
  },
  'GET status/leader': {
    summary: 'Read the host:port of the leader; empty without a leader',
    query: 'dc pretty',
    answer: 'text',
  },
  'GET status/peers': {
    summary: 'List the host:port of every server that votes',
    query: 'dc pretty',
    answer: 'texts',
  },
  'GET status/times': {
    summary: 'Read when log entries were written',
    query: 'entry pretty',
    answer: 'times',
  },
  'GET operator/raft/configuration': {
    summary: 'List the servers in the Raft configuration',
    query: `${consistency} pretty`,
    answer: 'raft',
  },
  'DELETE operator/raft/peer': { summary: 'Remove a server from Raft', query: 'id address' },
  'PUT operator/raft/peer': { summary: 'Add a server to Raft', query: 'id address' },
  'PUT operator/raft/transfer-leader': {
    summary: 'Transfer leadership to another server',
    query: 'id',
    answer: 'success',
  },
  'POST operator/raft/transfer-leader': {
    summary: 'Transfer leadership to another server',
    query: 'id',
    answer: 'success',
  },
  'GET operator/autopilot/health': {
    summary: 'Read the health of all servers; 200 if all are healthy',
    query: `${consistency} pretty`,
    answer: 'autopilot',
    alsoAnswers: [429],
  },
  'GET operator/autopilot/configuration': {
    summary: 'Read the rules that decide whether a server is healthy',
    query: `${consistency} pretty`,
    answer: 'autopilotConfiguration',
  },
  'PUT operator/autopilot/configuration': {
    summary: 'Confirm the Autopilot rules; other values are refused',
    query: 'cas dc',
    body: autopilotShape,
    answer: 'flag',
  },
  'GET snapshot': {
    summary: 'Download the state as an archive',
    query: consistency,
    answer: 'archive',
  },
  'PUT snapshot': { summary: 'Restore the catalog from an archive', query: 'dc' },
  'GET openapi.json': { summary: 'Read this OpenAPI document', answer: 'object' },
}

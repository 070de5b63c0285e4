import { must } from '../../../src/base/assert.ts'
import { nameOf, ownNode, suffixes } from '../../helpers/plain-rules.ts'
import type { May } from '../../helpers/plain-rules.ts'
import {
  everything,
  filtered,
  guarded,
  key,
  needs,
  node,
  ofIntentions,
  ofOwnNode,
  ofQueries,
  open,
  readsQuery,
  service,
  unknownId,
} from './fuzz-requests.ts'
import type { Case, Pick, Request } from './fuzz-requests.ts'
import { intentionCases } from './fuzz-intentions.ts'
import { reading, readsEntries, transactions } from './fuzz-txn.ts'
import {
  agentServiceBody,
  instanceBody,
  lowerSuffixes,
  mark,
  nodeBody,
  ownCheckBody,
  policyBody,
  queryBody,
  sessionBody,
} from './fuzz-world.ts'

/** By method and path of the table of endpoints. */
export const cases: Readonly<Record<string, Case>> = {
  // It was done already.
  'PUT /v1/acl/bootstrap': () => ({ path: 'acl/bootstrap', isAllowed: () => false }),
  'GET /v1/acl/replication': guarded('acl', 'read', 'acl/replication'),
  'GET /v1/acl/tokens': guarded('acl', 'read', 'acl/tokens'),
  'PUT /v1/acl/token': guarded('acl', 'write', 'acl/token', { AccessorID: unknownId }),
  'GET /v1/acl/token/self': filtered(() => 'acl/token/self'),
  'GET /v1/acl/token/{accessor}': ({ token }) => ({
    path: `acl/token/${token}`,
    isAllowed: needs('acl', '', 'read'),
  }),
  'PUT /v1/acl/token/{accessor}': ({ token }) => ({
    path: `acl/token/${token}`,
    body: { AccessorID: token, Policies: [{ Name: policyBody.Name }] },
    isAllowed: needs('acl', '', 'write'),
  }),
  'PUT /v1/acl/token/{accessor}/clone': guarded('acl', 'write', `acl/token/${unknownId}0/clone`),
  'DELETE /v1/acl/token/{accessor}': guarded('acl', 'write', `acl/token/${unknownId}`),
  'GET /v1/acl/policies': guarded('acl', 'read', 'acl/policies'),
  'PUT /v1/acl/policy': guarded('acl', 'write', 'acl/policy', policyBody),
  'GET /v1/acl/policy/{id}': ({ policy }) => ({
    path: `acl/policy/${policy}`,
    isAllowed: needs('acl', '', 'read'),
  }),
  'GET /v1/acl/policy/name/{name}': guarded('acl', 'read', `acl/policy/name/${policyBody.Name}`),
  'PUT /v1/acl/policy/{id}': ({ policy }) => ({
    path: `acl/policy/${policy}`,
    body: { ...policyBody, ID: policy },
    isAllowed: needs('acl', '', 'write'),
  }),
  'DELETE /v1/acl/policy/{id}': guarded('acl', 'write', `acl/policy/${unknownId}`),
  'GET /v1/acl/roles': guarded('acl', 'read', 'acl/roles'),
  'PUT /v1/acl/role': guarded('acl', 'write', 'acl/role', { Name: 'role-of-the-fuzz' }),
  'GET /v1/acl/role/{id}': ({ role }) => ({
    path: `acl/role/${role}`,
    isAllowed: needs('acl', '', 'read'),
  }),
  'GET /v1/acl/role/name/{name}': guarded('acl', 'read', 'acl/role/name/role-of-the-fuzz'),
  'PUT /v1/acl/role/{id}': ({ role }) => ({
    path: `acl/role/${role}`,
    body: { ID: role, Name: 'role-of-the-fuzz' },
    isAllowed: needs('acl', '', 'write'),
  }),
  'DELETE /v1/acl/role/{id}': guarded('acl', 'write', `acl/role/${unknownId}`),
  'GET /v1/acl/why': ({ token }, { suffix, way }) => ({
    path: `acl/why?resource=key&access=read&name=${nameOf('key', suffix)}${way % 2 === 0 ? `&accessor=${token}` : ''}`,
    isAllowed: (may) => way % 2 === 1 || may('acl', ''),
    // The rules of the asker's own token.
    alsoShows: everything,
  }),

  'GET /v1/acl/rights': ({ token }, { way }) => ({
    path: `acl/rights${way % 2 === 0 ? `?accessor=${token}` : ''}`,
    isAllowed: (may) => way % 2 === 1 || may('acl', ''),
    // The rules of the asker's own token.
    alsoShows: everything,
  }),
  'GET /v1/acl/status': filtered(() => 'acl/status'),
  'POST /v1/internal/acl/authorize': (_world, pick) => ({
    path: 'internal/acl/authorize',
    body: [{ Resource: 'service', Access: 'read', Segment: service(pick) }],
  }),

  'PUT /v1/agent/token/{type}': guarded('agent', 'write', 'agent/token/agent', { Token: '' }),
  'PUT /v1/agent/service/register': (world, { suffix, other, way }) => {
    const [name, replaced] = [nameOf('service', suffix), nameOf('service', other)]
    if (way % 2 === 0 || name === replaced) {
      const body = agentServiceBody(name)
      return { path: 'agent/service/register', body, isAllowed: needs('service', name, 'write') }
    }
    // The ID of another service.
    return {
      path: 'agent/service/register',
      body: { ID: replaced, Name: name },
      isAllowed: (may) => may('service', name, 'write') && may('service', replaced, 'write'),
      undo: () => world.do('PUT', 'agent/service/register', agentServiceBody(replaced)),
    }
  },
  'PUT /v1/agent/service/deregister/{service_id}': (world, pick) => ({
    path: `agent/service/deregister/${service(pick)}`,
    isAllowed: needs('service', service(pick), 'write'),
    undo: () => world.do('PUT', 'agent/service/register', agentServiceBody(service(pick))),
  }),
  'GET /v1/agent/services': filtered(() => 'agent/services'),
  'GET /v1/agent/service/{service_id}': (_world, pick) => ({
    // A name that is nearly that of another: the error names what is near.
    path: `agent/service/${service(pick)}${pick.way % 2 === 0 ? '' : 'x'}`,
    isAllowed: (may) => pick.way % 2 === 1 || may('service', service(pick)),
  }),
  'GET /v1/agent/checks': filtered(() => 'agent/checks', { alsoShows: /^n1$/ }),
  'PUT /v1/agent/check/register': (_world, pick) => ({
    path: 'agent/check/register',
    ...(pick.way % 3 === 0
      ? { body: ownCheckBody, isAllowed: needs('node', ownNode, 'write') }
      : {
          body: {
            ID: `own-${service(pick)}`,
            Name: 'check',
            TTL: '1h',
            Notes: mark(`service:${service(pick)}`),
            ServiceID: service(pick),
          },
          isAllowed: needs('service', service(pick), 'write'),
        }),
  }),
  'PUT /v1/agent/check/deregister/{check_id}': (world, pick) => ({
    path: `agent/check/deregister/own-${service(pick)}`,
    isAllowed: needs('service', service(pick), 'write'),
    undo: () => world.do('PUT', 'agent/service/register', agentServiceBody(service(pick))),
  }),
  ...Object.fromEntries(
    ['pass', 'warn', 'fail'].map((verb): [string, Case] => [
      `PUT /v1/agent/check/${verb}/{check_id}`,
      (_world, pick) => report(`agent/check/${verb}`, pick),
    ]),
  ),
  'PUT /v1/agent/check/update/{check_id}': (_world, pick) => ({
    ...report('agent/check/update', pick),
    body: { Status: 'passing' },
  }),
  'PUT /v1/agent/service/maintenance/{service_id}': (_world, pick) => ({
    path: `agent/service/maintenance/${service(pick)}?enable=false`,
    isAllowed: needs('service', service(pick), 'write'),
  }),
  'PUT /v1/agent/maintenance': guarded('node', 'write', 'agent/maintenance?enable=false'),
  'GET /v1/agent/health/service/id/{service_id}': (_world, pick) => ({
    path: `agent/health/service/id/${service(pick)}`,
    isAllowed: needs('service', service(pick), 'read'),
    // The checks of the node count for the service.
    alsoShows: ofOwnNode,
  }),
  'GET /v1/agent/health/service/name/{service}': (_world, pick) => ({
    path: `agent/health/service/name/${service(pick)}`,
    isAllowed: needs('service', service(pick), 'read'),
    alsoShows: ofOwnNode,
  }),
  'GET /v1/agent/self': guarded('agent', 'read', 'agent/self', undefined, ofOwnNode),
  'GET /v1/agent/members': filtered(() => 'agent/members'),
  'PUT /v1/agent/reload': guarded('agent', 'write', 'agent/reload'),
  'PUT /v1/agent/leave': guarded('agent', 'write', 'agent/leave'),
  'PUT /v1/agent/join/{address}': guarded('agent', 'write', 'agent/join/127.0.0.1'),
  'PUT /v1/agent/force-leave/{node}': guarded('operator', 'write', `agent/force-leave/${ownNode}`),

  'PUT /v1/catalog/register': (world, pick) => {
    const path = 'catalog/register'
    if (pick.way % 3 === 0) {
      const body = { ...nodeBody(node(pick)), Address: '10.0.0.99' }
      const undo = () => world.do('PUT', path, nodeBody(node(pick)))
      return { path, body, isAllowed: needs('node', node(pick), 'write'), undo }
    }
    const body = instanceBody(node(pick), service(pick))
    return { path, body, isAllowed: needs('service', service(pick), 'write') }
  },
  'PUT /v1/catalog/deregister': (world, pick) => ({
    path: 'catalog/deregister',
    ...(pick.way % 3 === 0
      ? { body: { Node: node(pick) }, isAllowed: needs('node', node(pick), 'write') }
      : {
          body: { Node: node(pick), ServiceID: service(pick) },
          isAllowed: (may: May) =>
            may('node', node(pick), 'write') || may('service', service(pick), 'write'),
        }),
    undo: async () => {
      await world.do('PUT', 'session/destroy/' + must(world.sessions.get(node(pick))))
      await world.seedNode(node(pick))
    },
  }),
  'GET /v1/catalog/datacenters': open('catalog/datacenters'),
  'GET /v1/catalog/nodes': filtered(() => 'catalog/nodes'),
  'GET /v1/catalog/services': filtered(
    ({ way }) => `catalog/services${way % 2 === 0 ? '' : '?filter=ServiceName!=x'}`,
  ),
  'GET /v1/catalog/service/{service}': filtered((pick) => `catalog/service/${service(pick)}`),
  'GET /v1/catalog/node/{node}': filtered((pick) => `catalog/node/${node(pick)}`),
  'GET /v1/catalog/node-services/{node}': filtered((pick) => `catalog/node-services/${node(pick)}`),
  'GET /v1/catalog/connect/{service}': filtered((pick) => `catalog/connect/${service(pick)}`),
  'GET /v1/catalog/gateway-services/{gateway}': filtered(
    (pick) => `catalog/gateway-services/${service(pick)}`,
  ),
  'GET /v1/health/summary': filtered(
    ({ way }) => `health/summary${way % 2 === 0 ? '' : '?filter=ServiceName!=x'}`,
  ),
  'GET /v1/health/history/{service}': filtered((pick) => `health/history/${service(pick)}`),
  'GET /v1/health/node-summary': filtered(() => 'health/node-summary'),
  // The answer of DNS cannot be filtered. DNS is off in this world, and a name without a case has two services.
  'GET /v1/dns/service/{service}': (_world, pick) => ({
    path: `dns/service/${service(pick)}`,
    isAllowed: (may) =>
      suffixes
        .filter((suffix) => suffix.toLowerCase() === pick.suffix.toLowerCase())
        .every((suffix) => may('service', nameOf('service', suffix))) &&
      [ownNode, ...lowerSuffixes.map((suffix) => nameOf('node', suffix))].every((name) =>
        may('node', name),
      ),
  }),
  // DNS is off in this world; test/resolver/traffic has what the answer may show.
  'GET /v1/agent/dns/top': guarded('agent', 'read', 'agent/dns/top'),
  'GET /v1/health/service/{service}': filtered(
    (pick) => `health/service/${service(pick)}${pick.way % 2 === 0 ? '?passing' : ''}`,
  ),
  'GET /v1/health/node/{node}': filtered((pick) => `health/node/${node(pick)}`),
  'GET /v1/health/checks/{service}': filtered((pick) => `health/checks/${service(pick)}`),
  'GET /v1/health/state/{state}': filtered(
    ({ way }) => `health/state/${way % 2 === 0 ? 'any' : 'passing'}`,
  ),
  'GET /v1/health/connect/{service}': filtered((pick) => `health/connect/${service(pick)}`),
  'GET /v1/health/ingress/{service}': filtered((pick) => `health/ingress/${service(pick)}`),

  'GET /v1/coordinate/nodes': open('coordinate/nodes'),
  'GET /v1/discovery-chain/{service}': (_world, pick) => ({
    path: `discovery-chain/${service(pick)}`,
    isAllowed: needs('service', service(pick), 'read'),
  }),
  'GET /v1/internal/ui/services': filtered(() => 'internal/ui/services'),
  'GET /v1/internal/ui/nodes': filtered(() => 'internal/ui/nodes'),
  'GET /v1/internal/ui/node/{node}': filtered((pick) => `internal/ui/node/${node(pick)}`),
  'GET /v1/kv/{key}': (_world, pick) => {
    const trees = ['?recurse', '?keys', '?keys&separator=/', '?keys&separator=-']
    const tree = trees[pick.way % 6]
    if (tree !== undefined) return { path: `kv/${pick.way % 12 < 6 ? '' : 'key-'}${tree}` }
    const raw = pick.way % 2 === 0 ? '?raw' : ''
    return { path: `kv/${key(pick)}${raw}`, isAllowed: needs('key', key(pick), 'read') }
  },
  'PUT /v1/kv/{key}': (_world, pick) => ({
    path: `kv/${key(pick)}`,
    body: mark(`key:${key(pick)}`),
    isAllowed: needs('key', key(pick), 'write'),
  }),
  'DELETE /v1/kv/{key}': (world, pick) => {
    const name = nameOf('key', pick.suffix)
    const isTree = pick.way % 3 === 0
    const begun = suffixes.filter((suffix) => suffix.startsWith(pick.suffix))
    return {
      path: `kv/${isTree ? `${name}?recurse` : key(pick)}`,
      isAllowed: isTree ? needs('key', name, 'write-prefix') : needs('key', key(pick), 'write'),
      undo: async () => {
        for (const suffix of begun) {
          await world.seedKey(nameOf('key', suffix))
          await world.seedKey(`${nameOf('key', suffix)}/below`)
        }
      },
    }
  },

  'GET /v1/query': filtered(() => 'query', ofQueries),
  // There is one of that name already.
  'POST /v1/query': (_world, { lower }) => ({
    path: 'query',
    body: queryBody(lower),
    isAllowed: needs('query', nameOf('query', lower), 'write'),
  }),
  'GET /v1/query/{query}': ({ queries }, { lower }) => ({
    path: `query/${queries.get(lower)}`,
    isAllowed: readsQuery(nameOf('query', lower)),
    ...ofQueries,
  }),
  'PUT /v1/query/{query}': ({ queries }, { lower, otherLower, way }) => {
    const name = way % 2 === 0 ? lower : otherLower
    return {
      path: `query/${queries.get(lower)}`,
      body: queryBody(name),
      isAllowed: (may) =>
        may('query', nameOf('query', lower), 'write') &&
        may('query', nameOf('query', name), 'write'),
    }
  },
  'DELETE /v1/query/{query}': (world, { lower }) => ({
    path: `query/${world.queries.get(lower)}`,
    isAllowed: needs('query', nameOf('query', lower), 'write'),
    undo: () => world.seedQuery(lower),
  }),
  'GET /v1/query/{query}/execute': filtered(
    ({ lower }) => `query/${nameOf('query', lower)}/execute`,
    ofQueries,
  ),
  'GET /v1/query/{query}/explain': (_world, { lower }) => ({
    path: `query/${nameOf('query', lower)}/explain`,
    isAllowed: readsQuery(nameOf('query', lower)),
    ...ofQueries,
  }),

  ...intentionCases,

  'PUT /v1/session/create': (world, pick) => ({
    path: 'session/create',
    body: sessionBody(node(pick)),
    isAllowed: needs('session', node(pick), 'write'),
    undo: async () => {
      const all = (await world.do('GET', `session/node/${node(pick)}`)) as unknown
      for (const { ID } of all as readonly { readonly ID: string }[]) {
        if (ID !== world.sessions.get(node(pick))) await world.do('PUT', `session/destroy/${ID}`)
      }
    },
  }),
  'PUT /v1/session/destroy/{session}': (world, pick) => ({
    path: `session/destroy/${world.sessions.get(node(pick))}`,
    isAllowed: needs('session', node(pick), 'write'),
    undo: () => world.seedSession(node(pick)),
  }),
  'PUT /v1/session/renew/{session}': ({ sessions }, pick) => ({
    path: `session/renew/${sessions.get(node(pick))}`,
    isAllowed: needs('session', node(pick), 'write'),
    isOfSessions: true,
  }),
  'GET /v1/session/info/{session}': ({ sessions }, pick) => ({
    path: `session/info/${sessions.get(node(pick))}`,
    isOfSessions: true,
  }),
  'GET /v1/session/node/{node}': (_world, pick) => ({
    path: `session/node/${node(pick)}`,
    isOfSessions: true,
  }),
  'GET /v1/session/list': filtered(() => 'session/list', { isOfSessions: true }),

  'PUT /v1/event/fire/{name}': (_world, { suffix }) => ({
    path: `event/fire/${nameOf('event', suffix)}`,
    body: mark(`event:${nameOf('event', suffix)}`),
    isAllowed: needs('event', nameOf('event', suffix), 'write'),
  }),
  'GET /v1/event/list': filtered(() => 'event/list'),

  'PUT /v1/txn': (_world, pick) => {
    const writing = transactions(pick)
    const at = pick.way % (writing.length + 1)
    const [isAllowed, ...ops] = writing[at] ?? [readsEntries(pick), ...reading(pick)]
    return { path: 'txn', body: ops, refusedWith: 409, isAllowed }
  },

  'GET /v1/status/leader': open('status/leader'),
  'GET /v1/status/peers': open('status/peers'),
  'GET /v1/status/times': open('status/times?entry=1'),
  'GET /v1/operator/raft/configuration': guarded(
    'operator',
    'read',
    'operator/raft/configuration',
    undefined,
    ofOwnNode,
  ),
  'DELETE /v1/operator/raft/peer': guarded(
    'operator',
    'write',
    `operator/raft/peer?id=${unknownId}`,
  ),
  'PUT /v1/operator/raft/peer': guarded(
    'operator',
    'write',
    'operator/raft/peer?id=x',
    undefined,
    everything,
  ),
  'POST /v1/operator/raft/transfer-leader': guarded(
    'operator',
    'write',
    'operator/raft/transfer-leader',
  ),
  'PUT /v1/operator/raft/transfer-leader': guarded(
    'operator',
    'write',
    'operator/raft/transfer-leader',
  ),
  'GET /v1/operator/autopilot/health': guarded(
    'operator',
    'read',
    'operator/autopilot/health',
    undefined,
    ofOwnNode,
  ),
  'GET /v1/operator/autopilot/configuration': guarded(
    'operator',
    'read',
    'operator/autopilot/configuration',
  ),
  'PUT /v1/operator/autopilot/configuration': guarded(
    'operator',
    'write',
    'operator/autopilot/configuration',
    {},
  ),
  'GET /v1/snapshot': guarded('acl', 'write', 'snapshot', undefined, everything),
  'PUT /v1/snapshot': guarded('acl', 'write', 'snapshot'),

  'GET /v1/agent/monitor': guarded('agent', 'read', 'agent/monitor'),
  'GET /metrics': guarded('agent', 'read', '/metrics'),
  'GET /v1/agent/metrics': guarded('agent', 'read', 'agent/metrics'),
  'GET /v1/agent/history': guarded('agent', 'read', 'agent/history'),
  'GET /v1/agent/metrics/stream': guarded('agent', 'read', 'agent/metrics/stream'),
  'GET /v1/agent/debug': guarded('operator', 'read', 'agent/debug'),
  'GET /v1/agent/host': guarded('operator', 'read', 'agent/host', undefined, everything),
  'GET /v1/agent/version': guarded('agent', 'read', 'agent/version'),
  'GET /debug/pprof/{profile}': guarded('operator', 'read', '/debug/pprof/heap'),
  'GET /v1/openapi.json': filtered(() => 'openapi.json', { alsoShows: everything }),
}

/** Half of the readers of a list want only its changes. */
function deltas({ way }: Pick): string {
  return way % 2 === 0 ? '' : '?deltas'
}

/** Rows that are answered by a stream; what is asked of them, and the right without which they are refused. */
export const streams: Readonly<Record<string, Case>> = {
  'GET /v1/watch/service/{service}': filtered(
    (pick) => `watch/service/${service(pick)}${deltas(pick)}`,
  ),
  'GET /v1/watch/node/{node}': filtered(
    (pick) => `watch/node/${node(pick)}${pick.way % 2 === 0 ? '' : '?checks'}`,
  ),
  'GET /v1/watch/services': filtered(() => 'watch/services'),
  'GET /v1/watch/nodes': filtered(() => 'watch/nodes'),
  'GET /v1/watch/summary': filtered((pick) => `watch/summary${deltas(pick)}`),
  'GET /v1/watch/node-summary': filtered((pick) => `watch/node-summary${deltas(pick)}`),
  'GET /v1/watch/checks': filtered((pick) => `watch/checks${deltas(pick)}`),
  'GET /v1/watch/intentions': filtered(() => 'watch/intentions', ofIntentions),
  'GET /v1/watch/key/{key}': (_world, pick) => ({
    path: `watch/key/${key(pick)}`,
    isAllowed: needs('key', key(pick), 'read'),
  }),
  'GET /v1/watch/keyprefix/{prefix}': filtered(
    ({ way }) => `watch/keyprefix/key-${way % 2 === 0 ? '' : '?keys&separator=/'}`,
  ),
  'GET /v1/watch/event': filtered(() => 'watch/event'),
  'GET /v1/agent/monitor': must(cases['GET /v1/agent/monitor']),
  'GET /v1/agent/metrics/stream': must(cases['GET /v1/agent/metrics/stream']),
}

function report(path: string, pick: Pick): Request {
  return {
    path: `${path}/own-${service(pick)}`,
    isAllowed: needs('service', service(pick), 'write'),
  }
}

import { Viewer } from '../../../access/viewer.ts'
import { consulVersion } from '../../../base/version.ts'
import { endpoint } from '../../context.ts'
import { filtered, filterOf, memberFields } from '../../../http/filters.ts'
import { flagParameter, readOptions } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { tellFiltered } from '../../../http/requesters.ts'
import {
  list,
  object,
  opaque,
  schemaNamed,
  text,
  textMap,
  texts,
  whole,
} from '../../../http/schemas.ts'
import { debugConfig } from '../observe/debug-config.ts'
import { memberJson, serverMembers } from './members.ts'
import type { ApiContext } from '../../context.ts'

const agentSchema = schemaNamed(
  'Agent',
  object({
    Config: opaque,
    DebugConfig: opaque,
    Coord: opaque,
    Stats: opaque,
    Meta: opaque,
    xDS: opaque,
  }),
)

const memberRow = schemaNamed(
  'Member',
  object({ Name: text, Addr: text, Port: whole, Tags: textMap, Status: whole }),
)

/** agent/self, members and reload: the agent itself, and the cluster it is in. */
export const selfEndpoints = [
  endpoint({
    method: 'GET',
    path: '/v1/agent/self',
    permission: { resource: 'agent', access: 'read', name: 'own-node' },
    summary: 'Describe this agent',
    query: query.pretty,
    answer: agentSchema,
    handle: async (context, request, reply) => sendJson(request, reply, selfJson(context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/agent/members',
    permission: { filteredBy: [{ resource: 'node', access: 'read' }] },
    summary: 'List the servers of the cluster',
    query: {
      wan: { type: 'boolean', description: 'Add the datacenter to each name' },
      ...query.filter,
      ...query.dc,
      ...query.pretty,
    },
    answer: list(memberRow),
    async handle(context, request, reply) {
      const { identity, tokens } = context
      readOptions(request.query, identity)
      const filter = filterOf(request.query, memberFields)
      // One datacenter's, under the names that they have among several.
      const isWan = flagParameter(request.query, 'wan')
      const suffix = isWan ? `.${identity.datacenter}` : ''
      const viewer = new Viewer(context.callerOf(request))
      const rows = serverMembers(context)
        .filter(({ name }) => viewer.sees('node', name))
        .map((member) => memberJson(member, identity, tokens.isEnabled))
        .map((row) => ({ ...row, Name: `${row.Name}${suffix}` }))
      if (viewer.hasHidden) tellFiltered(request, reply)
      return sendJson(request, reply, filtered(rows, filter))
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/agent/reload',
    permission: { resource: 'agent', access: 'write', name: 'own-node' },
    audited: {},
    summary: 'Reload configuration, service and zone files',
    query: query.pretty,
    answer: object({ Taken: texts, LeftOut: texts, HeldBack: texts, RestartNeeded: texts }),
    async handle({ files }, request, reply) {
      const { taken, leftOut, heldBack, restartNeeded } = await files.reload()
      const report = { Taken: taken, LeftOut: leftOut, HeldBack: heldBack }
      return sendJson(request, reply, { ...report, RestartNeeded: restartNeeded })
    },
  }),
]

function selfJson(context: ApiContext) {
  const { agent, catalog, facts, freshness, identity, tokens } = context
  const leader = freshness.leader()
  const { services, checks } = agent.counts()
  const own = serverMembers(context).find(({ server }) => server.id === identity.nodeId)
  return {
    Config: {
      Datacenter: identity.datacenter,
      PrimaryDatacenter: identity.datacenter,
      NodeName: identity.nodeName,
      NodeID: identity.nodeId,
      Revision: '',
      Server: identity.server,
      Version: consulVersion,
      SvcdVersion: identity.version,
    },
    DebugConfig: debugConfig(identity, tokens.isEnabled),
    Coord: { Vec: Array.from({ length: 8 }, () => 0), Error: 1.5, Adjustment: 0, Height: 1e-5 },
    Member: own === undefined ? null : memberJson(own, identity, tokens.isEnabled),
    Stats: {
      agent: {
        checks: String(checks),
        services: String(services),
      },
      build: { prerelease: '', revision: '', version: identity.version },
      consul: {
        acl: tokens.isEnabled ? 'enabled' : 'disabled',
        known_datacenters: '1',
        leader: String(freshness.isLeader()),
        leader_addr: leader,
        server: String(identity.server),
      },
      ...facts.statistics(),
    },
    Meta: catalog.read((reader) => reader.node(identity.nodeName))?.meta ?? {},
    // svcd has no port for proxies, and clients look here for one.
    xDS: { SupportedProxies: {}, Port: -1, Ports: { Plaintext: -1, TLS: -1 } },
  }
}

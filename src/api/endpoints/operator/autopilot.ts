import { formatDuration } from '../../../base/duration.ts'
import { svcdError } from '../../../base/errors.ts'
import { consulVersion } from '../../../base/version.ts'
import { autopilotJson, autopilotShape, settingsIn } from '../../../definition/autopilot.ts'
import type { ServerHealth } from '../../../ports/cluster.ts'
import { endpoint } from '../../context.ts'
import { bytes } from '../../../http/body.ts'
import { reach } from '../../../http/consistency.ts'
import { originOf } from '../../../http/origin.ts'
import { parameter, readOptions } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { indexes as indexSchemas } from '../../../http/row-schemas.ts'
import * as schema from '../../../http/schemas.ts'
import { nameOf } from '../agent/members.ts'
import type { ServerMember } from '../agent/members.ts'
import { autopilotFamily } from '../../../state/autopilot/family.ts'
import { membersFor } from './members-for.ts'
import type { ApiContext } from '../../context.ts'

const healthSchema = schema.schemaNamed(
  'OperatorHealth',
  schema.object({
    Healthy: schema.flag,
    FailureTolerance: schema.whole,
    Servers: schema.list(
      schema.object({
        ID: schema.text,
        Name: schema.text,
        Address: schema.text,
        SerfStatus: schema.text,
        Version: schema.text,
        Leader: schema.flag,
        LastContact: schema.text,
        LastTerm: schema.whole,
        LastIndex: schema.whole,
        Healthy: schema.flag,
        Voter: schema.flag,
        StableSince: { type: 'string', format: 'date-time' },
      }),
    ),
  }),
)

const configurationSchema = schema.schemaNamed(
  'AutopilotConfiguration',
  schema.object({
    CleanupDeadServers: schema.flag,
    LastContactThreshold: schema.text,
    MaxTrailingLogs: schema.whole,
    MinQuorum: schema.whole,
    ServerStabilizationTime: schema.text,
    RedundancyZoneTag: schema.text,
    DisableUpgradeMigration: schema.flag,
    UpgradeVersionTag: schema.text,
    ...indexSchemas,
  }),
)

/** operator/autopilot: the health of the servers, the rules that decide it, and the settings. */
export const autopilotEndpoints = [
  endpoint({
    method: 'GET',
    path: '/v1/operator/autopilot/health',
    permission: { resource: 'operator', access: 'read' },
    summary: 'Read the health of all servers; 200 if all are healthy',
    query: { ...query.consistency, ...query.pretty },
    answer: healthSchema,
    alsoAnswers: [429],
    async handle(context, request, reply) {
      const { cluster, identity } = context
      const members = await membersFor(context, request)
      const { consistency } = readOptions(request.query, identity)
      const told = await cluster.serverHealth({ mayAsk: consistency !== 'stale' })
      const health = healthJson(context, members, told ?? [])
      // For load balancers and scripts, which read only the status.
      return sendJson(request, reply.code(health.Healthy ? 200 : 429), health)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/operator/autopilot/configuration',
    permission: { resource: 'operator', access: 'read' },
    summary:
      'Read the settings of Autopilot, and the rules that decide whether a server is healthy',
    query: { ...query.consistency, ...query.pretty },
    answer: configurationSchema,
    async handle(context, request, reply) {
      const { cluster, families, identity } = context
      await reach(context, readOptions(request.query, identity).consistency)
      const settings = families.of(autopilotFamily).read((reader) => reader.configuration())
      return sendJson(request, reply, autopilotJson(settings, cluster.autopilot()))
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/operator/autopilot/configuration',
    permission: { resource: 'operator', access: 'write' },
    audited: {},
    summary: 'Set CleanupDeadServers and MinQuorum; other values of the fixed rules are refused',
    query: {
      cas: {
        type: 'integer',
        minimum: 0,
        description: 'Apply the request only if ModifyIndex has this value',
      },
      ...query.dc,
    },
    body: bytes(autopilotShape.schema ?? {}),
    answer: schema.flag,
    async handle({ cluster, writes }, request, reply) {
      const cas = casOf(request.query)
      const settings = settingsIn(request.body, cluster.autopilot())
      const body = { kind: 'autopilot-set', ...settings, cas } as const
      const outcome = await writes.propose(body, originOf(request, 'autopilot-set'))
      return sendJson(request, reply, outcome.ok && outcome.value === true)
    },
  }),
]

/** `?cas`: apply the request only if the configuration still has this index. */
function casOf(parameters: Parameters): number | undefined {
  const cas = parameter(parameters, 'cas')
  if (cas === undefined || cas === '') return undefined
  if (/^\d{1,20}$/.test(cas)) return Number(cas)
  throw svcdError('cas-not-a-number', { value: JSON.stringify(cas) })
}

/** Time in Go for "never". */
const zeroTime = '0001-01-01T00:00:00Z'

type HealthContext = Pick<ApiContext, 'freshness' | 'identity'>

function healthJson(
  context: HealthContext,
  members: readonly ServerMember[],
  told: readonly ServerHealth[],
) {
  const byId = new Map(told.map((health) => [health.id, health]))
  const Servers = members.map((member) => serverJson(context, member, byId.get(member.server.id)))
  const voters = Servers.filter(({ Voter }) => Voter)
  const quorum = Math.floor(voters.length / 2) + 1
  return {
    Healthy: Servers.length > 0 && Servers.every(({ Healthy }) => Healthy),
    FailureTolerance: Math.max(0, voters.filter(({ Healthy }) => Healthy).length - quorum),
    Servers,
  }
}

/** `health`: undefined if no leader reported it. Then only the catalog and this server itself are known. */
function serverJson(
  { freshness, identity }: HealthContext,
  member: ServerMember,
  health: ServerHealth | undefined,
) {
  const { server, status } = member
  const isSelf = server.id === identity.nodeId
  // Consul's autopilot writes an unknown contact like this.
  const unknownMs = isSelf ? freshness.lastContactMs() : -1e-6
  const contactMs = health?.lastContactMs ?? unknownMs
  const since = health?.stableSinceMs
  return {
    ID: server.id,
    Name: nameOf(member),
    Address: server.address,
    SerfStatus: status,
    Version: consulVersion,
    Leader: server.isLeader,
    LastContact: formatDuration(contactMs < 0 ? contactMs : Math.round(contactMs)),
    LastTerm: health?.lastTerm ?? 0,
    LastIndex: health?.lastIndex ?? server.lastIndex,
    Healthy: status === 'alive' && health?.isHealthy !== false,
    Voter: server.isVoter,
    StableSince: since === undefined ? zeroTime : new Date(since).toISOString(),
  }
}

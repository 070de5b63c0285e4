import { formatDuration } from '../../../base/duration.ts'
import { svcdError, SvcdError } from '../../../base/errors.ts'
import { consulVersion } from '../../../base/version.ts'
import { decodeBody, duration, flag, integer, object, text } from '../../../definition/decode.ts'
import type { ServerHealth } from '../../../ports/cluster.ts'
import { endpoint } from '../../context.ts'
import { bytes } from '../../../http/body.ts'
import { parameter, readOptions } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { indexes as indexSchemas } from '../../../http/row-schemas.ts'
import * as schema from '../../../http/schemas.ts'
import { nameOf } from '../agent/members.ts'
import type { ServerMember } from '../agent/members.ts'
import { membersFor } from './members-for.ts'
import type { ApiContext } from '../../context.ts'
import type { Cluster } from '../../../ports/cluster.ts'

const autopilotShape = object({
  CleanupDeadServers: flag,
  LastContactThreshold: duration,
  MaxTrailingLogs: integer,
  MinQuorum: integer,
  ServerStabilizationTime: duration,
  RedundancyZoneTag: text,
  DisableUpgradeMigration: flag,
  UpgradeVersionTag: text,
  CreateIndex: integer,
  ModifyIndex: integer,
})

/** The ModifyIndex of the configuration, which never changes. */
const modifyIndex = 1

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

/** operator/autopilot: the health of the servers, and the rules that decide it. */
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
    summary: 'Read the rules that decide whether a server is healthy',
    query: { ...query.consistency, ...query.pretty },
    answer: configurationSchema,
    async handle({ cluster, identity }, request, reply) {
      readOptions(request.query, identity)
      return sendJson(request, reply, { ...shown(rulesOf(cluster)), ...indexes })
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/operator/autopilot/configuration',
    permission: { resource: 'operator', access: 'write' },
    audited: {},
    summary: 'Confirm the Autopilot rules; other values are refused',
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
    async handle({ cluster }, request, reply) {
      const cas = casOf(request.query)
      const wrong = faults(rulesOf(cluster), readConfiguration(request.body))
      if (cas !== undefined && cas !== modifyIndex) return sendJson(request, reply, false)
      if (wrong.length > 0) throw svcdError('autopilot-fixed', { reason: wrong.join(' ') })
      return sendJson(request, reply, true)
    },
  }),
]

const indexes = { CreateIndex: modifyIndex, ModifyIndex: modifyIndex }

/** One field of Consul's configuration: its value here, and why it cannot change. */
interface Rule {
  readonly field: Exclude<keyof NonNullable<ReturnType<typeof autopilotShape>>, `${string}Index`>
  /** Durations in milliseconds. */
  readonly value: boolean | number | string
  readonly isDuration?: boolean
  readonly why: string
}

function rulesOf(cluster: Cluster): readonly Rule[] {
  const { silenceMsMax, trailingMax } = cluster.autopilot()
  const enterprise = 'svcd has neither redundancy zones nor automated upgrades'
  return [
    {
      field: 'CleanupDeadServers',
      value: false,
      why: 'svcd never removes a server automatically; remove a failed one with `svcd force-leave NAME`',
    },
    {
      field: 'LastContactThreshold',
      value: silenceMsMax,
      isDuration: true,
      why: 'set it with -member-timeout on every server',
    },
    {
      field: 'MaxTrailingLogs',
      value: trailingMax,
      why: 'a server keeps this many log entries for servers that catch up',
    },
    { field: 'MinQuorum', value: 0, why: 'svcd never removes a server automatically' },
    {
      field: 'ServerStabilizationTime',
      value: 0,
      isDuration: true,
      why: 'a new server gets its vote as soon as it has caught up',
    },
    { field: 'RedundancyZoneTag', value: '', why: enterprise },
    { field: 'DisableUpgradeMigration', value: false, why: enterprise },
    { field: 'UpgradeVersionTag', value: '', why: enterprise },
  ]
}

function shown(rules: readonly Rule[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(rules.map((rule) => [rule.field, valueOf(rule)]))
}

function valueOf({ value, isDuration }: Rule): Rule['value'] {
  return isDuration === true ? formatDuration(value as number) : value
}

/** A sentence for each field that asks for something else. An absent field asks for nothing. */
function faults(
  rules: readonly Rule[],
  asked: ReturnType<typeof readConfiguration>,
): readonly string[] {
  return rules
    .filter(({ field, value }) => asked[field] !== undefined && asked[field] !== value)
    .map((rule) => `${rule.field} is ${JSON.stringify(valueOf(rule))}: ${rule.why}.`)
}

function readConfiguration(body: Buffer | undefined) {
  try {
    return decodeBody(body, autopilotShape)
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    const reason = error.message.replace(/^Request decode failed: /, '')
    throw svcdError('invalid-autopilot-configuration', { reason })
  }
}

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

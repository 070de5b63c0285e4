import { randomUUID } from 'node:crypto'
import { svcdError } from '../../../base/errors.ts'
import { agentTokenShape } from '../../../definition/acl.ts'
import type { AgentTokenBody } from '../../../definition/acl.ts'
import * as docs from '../../../http/query-docs.ts'
import { addReadHeaders, reach } from '../../../http/consistency.ts'
import { readOptions } from '../../../http/parameters.ts'
import { sendDone, sendJson, warn } from '../../../http/reply.ts'
import { flag, object, text } from '../../../http/schemas.ts'
import type { AgentTokenType } from '../../../ports/agent-tokens.ts'
import { globalManagementId } from '../../../state/acl/model.ts'
import { hashOfSecret, secretLengthMax } from '../../../state/acl/secret-hash.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { tokenJson, zeroTime } from './encode.ts'
import { aclEndpoint, aclRead, aclState, lateJson, propose, reachNow } from './rows.ts'
import type { Late } from './rows.ts'
import { bootstrapSchema, replicationSchema } from './schemas.ts'

/** By the names that Consul has and had for them. */
const agentTokens: Readonly<Record<string, AgentTokenType>> = {
  default: 'default',
  acl_token: 'default',
  agent: 'agent',
  acl_agent_token: 'agent',
  agent_recovery: 'agentRecovery',
  agent_master: 'agentRecovery',
  acl_agent_master_token: 'agentRecovery',
  dns: 'dns',
}

/** Tokens of Consul that svcd does not need, as in its configuration, and why. */
const unusedTokens: Readonly<Record<string, string>> = {
  replication: 'an svcd cluster has one datacenter',
  acl_replication_token: 'an svcd cluster has one datacenter',
  config_file_service_registration: 'the agent registers the services of its files without a token',
}

/** acl/bootstrap, acl/replication and agent/token. */
export const bootstrapEndpoints: readonly ApiEndpoint[] = [
  aclEndpoint({
    method: 'PUT',
    path: '/v1/acl/bootstrap',
    permission: { none: 'it makes the first token, so no client has one yet' },
    summary: 'Create the first token, which has all rights. It can be done once',
    query: docs.dc,
    answer: bootstrapSchema,
    errors: [503],
    async handle(context, request, reply) {
      await reachNow(context, request.query)
      const resetIndex = resetIndexOf(context)
      const [accessorId, secret] = [randomUUID(), randomUUID()]
      const token = {
        description: 'Bootstrap Token (Global Management)',
        policies: [globalManagementId],
        roles: [],
        serviceIdentities: [],
        nodeIdentities: [],
        isLocal: false,
        createTimeMs: context.wallMs(),
        expirationTimeMs: 0,
      }
      const secretHash = hashOfSecret(secret)
      const command = { kind: 'acl-bootstrap', accessorId, secretHash, token } as const
      const body = { ...command, resetIndex, isInitial: false }
      const refusal = await propose(context, request, body, accessorId)
      const [kind, index = 0] = (refusal ?? '').split(' ')
      if (kind === 'bootstrapped') throw svcdError('acl-bootstrapped', { index })
      context.newSecrets.add(accessorId, secret)
      const json = aclState(context).read((reader) => {
        const stored = reader.token(accessorId)
        if (stored === undefined) throw svcdError('acl-token-gone', { id: accessorId })
        return { ID: secret, ...tokenJson(stored, secret, reader) }
      })
      return sendJson(request, reply, json)
    },
  }),
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/status',
    permission: { none: 'an attempt to bootstrap tells the same' },
    summary: 'Say whether the first token was created. Not an endpoint of Consul',
    query: { ...docs.consistency, ...docs.pretty },
    answer: object({ Bootstrapped: flag, DefaultPolicy: text }),
    async handle(context, request, reply) {
      await reachNow(context, request.query)
      const Bootstrapped = aclState(context).read((reader) => reader.resetIndex() > 0)
      const { defaultPolicy: DefaultPolicy } = context.tokens
      return sendJson(request, reply, { Bootstrapped, DefaultPolicy })
    },
  }),
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/replication',
    permission: aclRead,
    summary: 'Say that nothing is replicated from another datacenter',
    query: { ...docs.consistency, ...docs.pretty },
    answer: replicationSchema,
    async handle(context, request, reply) {
      const { consistency } = readOptions(request.query, context.identity)
      await reach(context, consistency)
      addReadHeaders(reply, context.freshness, consistency, 1)
      return sendJson(request, reply, {
        Enabled: false,
        Running: false,
        SourceDatacenter: '',
        ReplicationType: '',
        ReplicatedIndex: 0,
        ReplicatedRoleIndex: 0,
        ReplicatedTokenIndex: 0,
        LastSuccess: zeroTime,
        LastError: zeroTime,
      })
    },
  }),
  aclEndpoint<Late<AgentTokenBody>>({
    method: 'PUT',
    path: '/v1/agent/token/{type}',
    permission: { resource: 'agent', access: 'write', name: 'own-node' },
    audited: {},
    summary: 'Set a token of this agent until it stops: default, dns, agent or agent_recovery',
    body: lateJson(agentTokenShape),
    errors: [404],
    async handle(context, request, reply) {
      const type = request.params
      const known = Object.hasOwn(agentTokens, type) ? agentTokens[type] : undefined
      const unused = Object.hasOwn(unusedTokens, type) ? unusedTokens[type] : undefined
      if (known === undefined && unused === undefined) {
        throw svcdError('agent-token-unknown', { type })
      }
      const { Token: secret = '' } = request.body.decoded()
      if (secret.length > secretLengthMax) throw svcdError('acl-not-found', {})
      if (known !== undefined) context.agentTokens.setToken(known, secret)
      if (unused !== undefined) warn(reply, [`The token "${type}" is not used: ${unused}.`])
      return sendDone(reply)
    },
  }),
]

/** 0: no bootstrap was done, as far as this server knows. Throws `acl-bootstrapped`, `acl-reset-index-wrong`. */
function resetIndexOf(context: ApiContext): number {
  const { bootstrapReset } = context
  const index = aclState(context).read((reader) => reader.resetIndex())
  if (index > 0) {
    const specified = bootstrapReset.index()
    if (specified === 0) throw svcdError('acl-bootstrapped', { index })
    if (specified !== index) throw svcdError('acl-reset-index-wrong', { specified, index })
  }
  // A permission that stays would count again after a restore.
  bootstrapReset.remove()
  return index
}

import { randomUUID } from 'node:crypto'
import { parseRules } from '../../../access/rules/parse-rules.ts'
import { svcdError } from '../../../base/errors.ts'
import { policyShape } from '../../../definition/acl.ts'
import type { PolicyBody } from '../../../definition/acl.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { rowsOf } from '../../../http/answer.ts'
import { reads } from '../../../http/read.ts'
import * as docs from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { list } from '../../../http/schemas.ts'
import type { AclPolicy, PolicyDefinition } from '../../../state/acl/model.ts'
import { isAclId } from '../../../state/acl/model.ts'
import type { AclReader } from '../../../state/acl/reader.ts'
import { aclSubject } from '../../../state/acl/subjects.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { builtInPolicies, policyJson, policyListJson } from './encode.ts'
import { checkName, namedDeletion, namedReads } from './named.ts'
import type { Named } from './named.ts'
import {
  aclEndpoint,
  aclRead,
  aclState,
  aclWrite,
  idIn,
  lateJson,
  needsAclRead,
  propose,
  reachToWrite,
  refuseOtherId,
} from './rows.ts'
import type { Late } from './rows.ts'
import { policyListRow, policySchema } from './schemas.ts'

/** Its escapes must leave room in one entry of the log. */
const rulesBytesMax = 512 * 1024
/** More than any text that is accepted, so that a longer one is refused for what it is. */
const bodyBytesMax = 8 * 1024 * 1024

const body = lateJson(policyShape, bodyBytesMax)

const named: Named<AclPolicy> = {
  kind: 'policy',
  subject: aclSubject.policies,
  schema: policySchema,
  readErrors: [],
  byId: (reader, id) =>
    builtInPolicies.find((each) => each.id === id) ?? (isAclId(id) ? reader.policy(id) : undefined),
  byName: (reader, name) =>
    builtInPolicies.find((each) => each.name === name) ?? reader.policyNamed(name),
  json: policyJson,
}

/** acl/policy and acl/policies. */
export const policyEndpoints: readonly ApiEndpoint[] = [
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/policies',
    permission: aclRead,
    summary: 'List the policies, without their rules',
    query: docs.readQuery,
    answer: list(policyListRow),
    handle(context, request, reply) {
      const state = aclState(context)
      return reads(() => ({
        state,
        subject: aclSubject.policies,
        needs: needsAclRead,
        answer: (reader: AclReader) => ({
          kind: 'list',
          rows: rowsOf(listed(reader), policyListJson),
        }),
      }))(context, request, reply)
    },
  }),
  aclEndpoint<Late<PolicyBody>>({
    method: 'PUT',
    path: '/v1/acl/policy',
    permission: aclWrite,
    summary: 'Create a policy',
    query: docs.dc,
    body,
    answer: policySchema,
    errors: [413, 503],
    async handle(context, request, reply) {
      const given = request.body.decoded()
      if ((given.ID ?? '') !== '') throw svcdError('acl-id-given', { what: 'policy' })
      await reachToWrite(context, request)
      const policy = definitionOf(given)
      return put(context, request, { id: randomUUID(), mode: 'create', policy }, (json) =>
        sendJson(request, reply, json),
      )
    },
  }),
  ...namedReads(named),
  aclEndpoint<Late<PolicyBody>>({
    method: 'PUT',
    path: '/v1/acl/policy/{id}',
    permission: aclWrite,
    summary: 'Replace a policy',
    query: docs.dc,
    body,
    answer: policySchema,
    errors: [404, 413, 503],
    async handle(context, request, reply) {
      const id = idIn(request, 'policy')
      const given = request.body.decoded()
      refuseOtherId(id, given.ID, 'Policy ID')
      await reachToWrite(context, request)
      refuseBuiltIn(id)
      const policy = definitionOf(given)
      if (!isAclId(id)) throw svcdError('acl-policy-gone', { id })
      return put(context, request, { id, mode: 'update', policy }, (json) =>
        sendJson(request, reply, json),
      )
    },
  }),
  namedDeletion(named, 'Delete a policy. Tokens and roles lose it', refuseBuiltIn),
]

/** As in Consul 1.8, which the clients' tests count by: the newer read-only policy is there, but not in the list. */
function* listed(reader: AclReader): Generator<AclPolicy, void> {
  yield* builtInPolicies.slice(0, 1)
  yield* reader.policies()
}

function refuseBuiltIn(id: string): void {
  const builtIn = builtInPolicies.find((each) => each.id === id)
  if (builtIn !== undefined) throw svcdError('acl-built-in-fixed', { name: builtIn.name })
}

/** Throws `acl-policy-invalid`, `acl-rules-invalid`, `acl-rules-too-large`. */
function definitionOf(given: PolicyBody): PolicyDefinition {
  const { Name: name = '', Description: description = '', Rules: rules = '' } = given
  checkName(name, 'policy')
  const size = Buffer.byteLength(rules)
  if (size > rulesBytesMax) throw svcdError('acl-rules-too-large', { size, max: rulesBytesMax })
  parseRules(rules)
  return { name, description, rules, datacenters: given.Datacenters ?? [] }
}

async function put<T>(
  context: ApiContext,
  request: Asked,
  what: {
    readonly id: string
    readonly mode: 'create' | 'update'
    readonly policy: PolicyDefinition
  },
  answer: (json: object) => T,
): Promise<T> {
  const { id, policy } = what
  const refusal = await propose(context, request, { kind: 'acl-policy-put', ...what }, policy.name)
  if (refusal === 'taken-name') {
    const reason = `A Policy with Name "${policy.name}" already exists`
    throw svcdError('acl-policy-invalid', { reason })
  }
  const stored = aclState(context).read((reader) => reader.policy(id))
  if (refusal !== undefined || stored === undefined) throw svcdError('acl-policy-gone', { id })
  return answer(policyJson(stored))
}

import { randomUUID } from 'node:crypto'
import { parseRules } from '../../../access/rules/parse-rules.ts'
import { svcdError } from '../../../base/errors.ts'
import { policyShape } from '../../../definition/acl.ts'
import type { PolicyBody } from '../../../definition/acl.ts'
import { checkedDatacenters, checkedDescription } from '../../../definition/sizes.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { rowsOf } from '../../../http/answer.ts'
import { reads } from '../../../http/read.ts'
import * as docs from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { flag, list } from '../../../http/schemas.ts'
import type { AclPolicy, PolicyDefinition } from '../../../state/acl/model.ts'
import { isAclId } from '../../../state/acl/model.ts'
import type { AclReader } from '../../../state/acl/reader.ts'
import { aclSubject } from '../../../state/acl/subjects.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { builtInPolicies, policyJson, policyListJson } from './encode.ts'
import {
  aclEndpoint,
  aclRead,
  aclState,
  aclWrite,
  answerOne,
  lateJson,
  onePolicy,
  propose,
  reachNow,
} from './rows.ts'
import type { Late } from './rows.ts'
import { policyListRow, policySchema } from './schemas.ts'

/** Consul's rule for the names of policies and roles. */
const policyName = /^[A-Za-z0-9\-_]{1,128}$/

/** Its escapes must leave room in one entry of the log. */
const rulesBytesMax = 512 * 1024
/** More than any text that is accepted, so that a longer one is refused for what it is. */
const bodyBytesMax = 8 * 1024 * 1024

const body = lateJson(policyShape, bodyBytesMax)

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
      await reachNow(context, request.query)
      const policy = definitionOf(given)
      return put(context, request, { id: randomUUID(), mode: 'create', policy }, (json) =>
        sendJson(request, reply, json),
      )
    },
  }),
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/policy/{id}',
    permission: aclRead,
    summary: 'Read a policy by its ID',
    query: docs.readQuery,
    answer: policySchema,
    handle(context, request, reply) {
      const id = idOf(request.params)
      return answerOne(context, request, reply, onePolicy, (reader) => {
        const policy = isAclId(id) ? policyOf(reader, id) : undefined
        if (policy === undefined) throw svcdError('acl-policy-unknown', { what: `with ID "${id}"` })
        return policyJson(policy)
      })
    },
  }),
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/policy/name/{name}',
    permission: aclRead,
    summary: 'Read a policy by its name',
    query: docs.readQuery,
    answer: policySchema,
    handle(context, request, reply) {
      const name = request.params
      if (name === '') throw svcdError('acl-id-missing', { what: 'policy Name' })
      return answerOne(context, request, reply, onePolicy, (reader) => {
        const builtIn = builtInPolicies.find((each) => each.name === name)
        const policy = builtIn ?? reader.policyNamed(name)
        if (policy === undefined) {
          throw svcdError('acl-policy-unknown', { what: `with name "${name}"` })
        }
        return policyJson(policy)
      })
    },
  }),
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
      const id = idOf(request.params)
      const given = request.body.decoded()
      const isOther = (given.ID ?? '') !== '' && given.ID?.toLowerCase() !== id.toLowerCase()
      if (isOther) throw svcdError('acl-id-differs', { what: 'Policy ID' })
      await reachNow(context, request.query)
      refuseBuiltIn(id)
      const policy = definitionOf(given)
      if (!isAclId(id)) throw svcdError('acl-policy-gone', { id })
      return put(context, request, { id, mode: 'update', policy }, (json) =>
        sendJson(request, reply, json),
      )
    },
  }),
  aclEndpoint({
    method: 'DELETE',
    path: '/v1/acl/policy/{id}',
    permission: aclWrite,
    summary: 'Delete a policy. Tokens and roles lose it',
    query: docs.dc,
    answer: flag,
    errors: [503],
    async handle(context, request, reply) {
      const id = idOf(request.params)
      await reachNow(context, request.query)
      refuseBuiltIn(id)
      const isKnown = isAclId(id) && aclState(context).read((reader) => reader.policy(id))
      if (isKnown) await propose(context, request, { kind: 'acl-policy-delete', id }, id)
      return sendJson(request, reply, true)
    },
  }),
]

/** As in Consul 1.8, which the clients' tests count by: the newer read-only policy is there, but not in the list. */
function* listed(reader: AclReader): Generator<AclPolicy, void> {
  yield* builtInPolicies.slice(0, 1)
  yield* reader.policies()
}

function policyOf(reader: AclReader, id: string): AclPolicy | undefined {
  return builtInPolicies.find((each) => each.id === id) ?? reader.policy(id)
}

function idOf(argument: string): string {
  if (argument === '') throw svcdError('acl-id-missing', { what: 'policy ID' })
  return argument
}

function refuseBuiltIn(id: string): void {
  const builtIn = builtInPolicies.find((each) => each.id === id)
  if (builtIn !== undefined) throw svcdError('acl-built-in-fixed', { name: builtIn.name })
}

/** Throws `acl-policy-invalid`, `acl-rules-invalid`, `acl-rules-too-large`, `field-too-large`. */
function definitionOf(given: PolicyBody): PolicyDefinition {
  const { Name: name = '', Rules: rules = '' } = given
  checkAclName(name, 'acl-policy-invalid')
  const size = Buffer.byteLength(rules)
  if (size > rulesBytesMax) throw svcdError('acl-rules-too-large', { size, max: rulesBytesMax })
  parseRules(rules)
  const datacenters = checkedDatacenters(given.Datacenters ?? [])
  return { name, description: checkedDescription(given.Description), rules, datacenters }
}

export function checkAclName(name: string, code: 'acl-policy-invalid' | 'acl-role-invalid'): void {
  if (name === '') throw svcdError(code, { reason: 'no Name is set' })
  if (policyName.test(name)) return
  const reason = "invalid Name. Only alphanumeric characters, '-' and '_' are allowed"
  throw svcdError(code, { reason: `${reason}, and at most 128` })
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

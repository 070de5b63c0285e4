import type { ExplainedRule } from '../../../access/rules/authorizer.ts'
import { missingRule } from '../../../access/rules/needed-rule.ts'
import { namedResources, scalarResources } from '../../../access/rules/resource.ts'
import type { Resource } from '../../../access/rules/resource.ts'
import { svcdError } from '../../../base/errors.ts'
import { parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import * as docs from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { flag, list, object, orNull, text, whole } from '../../../http/schemas.ts'
import { secretOf } from '../../../http/secret-of.ts'
import type { AccessQuestion } from '../../../ports/explanations.ts'
import type { Requester } from '../../../access/requester.ts'
import type { ApiEndpoint } from '../../context.ts'
import { aclEndpoint, reachNow } from './rows.ts'

const ruleSchema = object({ Policy: text, Line: whole, Rule: text })

/** acl/why: whether a token may do something, and which rule decides. Not an endpoint of Consul. */
export const whyEndpoints: readonly ApiEndpoint[] = [
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/why',
    permission: { none: 'the token of the request may be asked about; others need acl:read' },
    summary: 'Explain whether a token may do something',
    query: {
      accessor: {
        ...text,
        description: 'The accessor ID of a token; default: that of the request',
      },
      resource: { ...text, description: 'What for: service, node, key, operator and so on' },
      access: { ...text, description: 'read, list, write or write-prefix' },
      name: { ...text, description: 'The name of the service, node or key' },
      ...docs.consistency,
      ...docs.pretty,
    },
    answer: object({
      AccessorID: text,
      Description: text,
      Resource: text,
      Access: text,
      Name: text,
      Allowed: flag,
      DefaultPolicy: text,
      DecidedBy: orNull(ruleSchema),
      Others: list(ruleSchema),
      Missing: text,
    }),
    errors: [404],
    async handle(context, request, reply) {
      const { tokens, explanations } = context
      const parameters = request.query
      const question = questionOf(parameters)
      const requester = (): Requester => tokens.requester(secretOf(request))
      const id = parameter(parameters, 'accessor') ?? ''
      const accessorId = id === '' ? requester().accessorId : id.toLowerCase()
      mustSee(accessorId, requester())
      await reachNow(context, parameters)
      // With the rights that it has by then.
      mustSee(accessorId, requester())
      const found = explanations.explain(accessorId, question)
      if (found === undefined) throw svcdError('acl-id-unknown', { kind: 'token', id })
      const { resource, access, name } = question
      return sendJson(request, reply, {
        AccessorID: found.accessorId,
        Description: found.description,
        Resource: resource,
        Access: access,
        Name: name,
        Allowed: found.isAllowed,
        DefaultPolicy: tokens.defaultPolicy,
        DecidedBy: found.by === undefined ? null : ruleJson(found.by),
        Others: found.others.map(ruleJson),
        Missing: missingRule(found, question) ?? '',
      })
    },
  }),
]

/** Throws `permission-denied`: names of policies and their rules are not for everybody. */
function mustSee(accessorId: string, { accessorId: own, caller }: Requester): void {
  if (accessorId === own || caller.rights.allows('acl', '', 'read')) return
  throw svcdError('permission-denied', { accessor: own, permission: 'acl:read', on: '' })
}

const accesses = ['read', 'list', 'write', 'write-prefix'] as const
const resources: readonly Resource[] = [...namedResources, 'intention', ...scalarResources]

/** Throws `acl-question-invalid`. */
function questionOf(parameters: Parameters): AccessQuestion {
  const resource = wordOf(parameters, 'resource', resources)
  const isNamed = !(scalarResources as readonly string[]).includes(resource)
  return {
    resource,
    access: wordOf(parameters, 'access', accesses),
    name: isNamed ? (parameter(parameters, 'name') ?? '') : '',
  }
}

function wordOf<Word extends string>(
  parameters: Parameters,
  what: string,
  known: readonly Word[],
): Word {
  const given = parameter(parameters, what) ?? ''
  const word = known.find((each) => each === given)
  if (word !== undefined) return word
  throw svcdError('acl-question-invalid', {
    what,
    given: JSON.stringify(given),
    known: known.join(', '),
  })
}

function ruleJson({ policy, line, rule }: ExplainedRule) {
  return { Policy: policy, Line: line, Rule: rule }
}

import type { ExplainedRule } from '../../../access/rules/authorizer.ts'
import { missingRule } from '../../../access/rules/needed-rule.ts'
import { svcdError } from '../../../base/errors.ts'
import { accessQuestion } from '../../../http/access-question.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { parameter } from '../../../http/parameters.ts'
import * as docs from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { flag, list, object, orNull, text, whole } from '../../../http/schemas.ts'
import { secretOf } from '../../../http/secret-of.ts'
import type { Requester } from '../../../access/requester.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { shownId } from './encode.ts'
import { aclEndpoint, reachNow } from './rows.ts'

const accessor = {
  ...text,
  description: 'The accessor ID of a token; default: that of the request',
}
const permission = {
  none: 'the token of the request may be asked about; others need acl:read',
} as const
const ruleSchema = object({ Policy: text, Line: whole, Rule: text })

/** acl/why and acl/rights: what a token may do, and which rules decide. Not endpoints of Consul. */
export const whyEndpoints: readonly ApiEndpoint[] = [
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/why',
    permission,
    summary: 'Explain whether a token may do something',
    query: {
      accessor,
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
      const { query: parameters } = request
      const [resource, access, name] = ['resource', 'access', 'name'].map(
        (each) => parameter(parameters, each) ?? '',
      ) as [string, string, string]
      const question = accessQuestion(resource, access, name)
      const found = await ofToken(context, request, (id) =>
        context.explanations.explain(id, question),
      )
      return sendJson(request, reply, {
        AccessorID: found.accessorId,
        Description: found.description,
        Resource: question.resource,
        Access: question.access,
        Name: question.name,
        Allowed: found.isAllowed,
        DefaultPolicy: context.tokens.defaultPolicy,
        DecidedBy: found.by === undefined ? null : ruleJson(found.by),
        Others: found.others.map(ruleJson),
        Missing: missingRule(found, question) ?? '',
      })
    },
  }),
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/rights',
    permission,
    summary: 'List the rules that count for a token, with the policies that have them',
    query: { accessor, ...docs.consistency, ...docs.pretty },
    answer: object({
      AccessorID: text,
      Description: text,
      DefaultPolicy: text,
      Rules: list(
        object({
          Resource: text,
          Prefix: flag,
          Name: text,
          Level: text,
          Policy: text,
          Line: whole,
        }),
      ),
    }),
    errors: [404],
    async handle(context, request, reply) {
      const found = await ofToken(context, request, (id) => context.explanations.rulesOf(id))
      return sendJson(request, reply, {
        AccessorID: found.accessorId,
        Description: found.description,
        DefaultPolicy: context.tokens.defaultPolicy,
        Rules: found.rules.map(({ resource, isPrefix, name, level, policy, line }) => ({
          Resource: resource,
          Prefix: isPrefix,
          Name: name,
          Level: level,
          Policy: policy,
          Line: line,
        })),
      })
    },
  }),
]

/** Asks about the token that the request names, or else about its own. Throws `permission-denied`, `acl-id-unknown`. */
async function ofToken<Found>(
  context: ApiContext,
  request: Asked,
  ask: (accessorId: string) => Found | undefined,
): Promise<Found> {
  const { tokens } = context
  const requester = (): Requester => tokens.requester(secretOf(request))
  const id = parameter(request.query, 'accessor') ?? ''
  const accessorId = id === '' ? requester().accessorId : id.toLowerCase()
  mustSee(accessorId, requester())
  await reachNow(context, request.query)
  // With the rights that it has by then.
  mustSee(accessorId, requester())
  const found = ask(accessorId)
  if (found !== undefined) return found
  throw svcdError('acl-id-unknown', { kind: 'token', id: shownId(id, tokens) })
}

/** Throws `permission-denied`: names of policies and their rules are not for everybody. */
function mustSee(accessorId: string, { accessorId: own, caller }: Requester): void {
  if (accessorId === own || caller.rights.allows('acl', '', 'read')) return
  throw svcdError('permission-denied', { accessor: own, permission: 'acl:read', on: '' })
}

function ruleJson({ policy, line, rule }: ExplainedRule) {
  return { Policy: policy, Line: line, Rule: rule }
}

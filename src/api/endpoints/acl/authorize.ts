import { svcdError } from '../../../base/errors.ts'
import { authorizeShape } from '../../../definition/acl.ts'
import { accessQuestion } from '../../../http/access-question.ts'
import * as docs from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { flag, list, object, text } from '../../../http/schemas.ts'
import type { ApiEndpoint } from '../../context.ts'
import { aclEndpoint, lateJson, reachNow } from './rows.ts'

/** Consul's. */
const questionsMax = 64

/** internal/acl/authorize: what the token of the request may do, for programs that show it to people. */
export const authorizeEndpoint: ApiEndpoint = aclEndpoint({
  method: 'POST',
  path: '/v1/internal/acl/authorize',
  permission: { none: 'it says of the token of the request what other requests of it would show' },
  isChange: false,
  summary: 'Say what the token of this request may do, for several questions',
  query: { ...docs.dc, ...docs.pretty },
  body: lateJson(authorizeShape),
  answer: list(object({ Resource: text, Access: text, Segment: text, Allow: flag })),
  errors: [413],
  async handle(context, request, reply) {
    const asked = request.body.decoded()
    if (asked.length > questionsMax)
      throw svcdError('acl-questions-too-many', { max: questionsMax })
    const questions = asked.map(({ Resource = '', Access = '', Segment = '' }) => ({
      ...accessQuestion(Resource, Access, Segment),
      Segment,
    }))
    // As in Consul, this server's own copy answers.
    await reachNow(context, { ...request.query, stale: '' })
    const { rights } = context.requesterNow(request).caller
    return sendJson(
      request,
      reply,
      questions.map(({ resource, access, name, Segment }) => ({
        Resource: resource,
        Access: access,
        ...(Segment === '' ? {} : { Segment }),
        Allow: rights.allows(resource, name, access),
      })),
    )
  },
})

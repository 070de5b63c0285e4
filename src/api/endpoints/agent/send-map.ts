import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Viewer } from '../../../access/viewer.ts'
import type { ApiContext } from '../../context.ts'
import type { Answer } from '../../../http/answer.ts'
import { sendBody } from '../../../http/reply.ts'
import { tellFiltered } from '../../../http/requesters.ts'
import { writeFor } from '../../../http/long-answers.ts'

/** Answers with a map of what `viewer` sees, in slices when it is long; `entries` may be asked twice. */
export async function sendMap(
  context: Pick<ApiContext, 'catalog' | 'longAnswers'>,
  request: FastifyRequest,
  reply: FastifyReply,
  viewer: Viewer,
  entries: () => Iterable<readonly [string, object] | undefined>,
): Promise<FastifyReply> {
  const answer = (): Answer => ({ kind: 'map', entries: entries() })
  const body = await writeFor(context, request, reply, context.catalog, answer)
  if (viewer.hasHidden) tellFiltered(request, reply)
  return sendBody(request, reply, body)
}

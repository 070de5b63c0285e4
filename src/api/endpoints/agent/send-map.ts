import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Viewer } from '../../../access/viewer.ts'
import type { ApiContext } from '../../context.ts'
import type { Answer } from '../../../http/answer.ts'
import { isPretty, sendBody } from '../../../http/reply.ts'
import { tellFiltered } from '../../../http/requesters.ts'
import { writeSliced } from '../../../http/sliced-answer.ts'

/** Answers with a map of what `viewer` sees, in slices when it is long; `entries` may be asked twice. */
export async function sendMap(
  { catalog }: Pick<ApiContext, 'catalog'>,
  request: FastifyRequest,
  reply: FastifyReply,
  viewer: Viewer,
  entries: () => Iterable<readonly [string, object] | undefined>,
): Promise<FastifyReply> {
  const answer = (): Answer => ({ kind: 'map', entries: entries() })
  const body = await writeSliced(catalog, answer, isPretty(request))
  if (viewer.hasHidden) tellFiltered(request, reply)
  return sendBody(request, reply, body)
}

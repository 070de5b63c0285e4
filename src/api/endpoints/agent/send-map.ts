import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiContext } from '../../context.ts'
import type { Answer } from '../../../http/answer.ts'
import { isPretty, sendBody } from '../../../http/reply.ts'
import { writeSliced } from '../../../http/sliced-answer.ts'

/** Answers with a map, in slices when it is long; `entries` may be asked twice. */
export async function sendMap(
  { catalog }: Pick<ApiContext, 'catalog'>,
  request: FastifyRequest,
  reply: FastifyReply,
  entries: () => Iterable<readonly [string, object] | undefined>,
): Promise<FastifyReply> {
  const answer = (): Answer => ({ kind: 'map', entries: entries() })
  return sendBody(request, reply, await writeSliced(catalog, answer, isPretty(request)))
}

import type { FastifyRequest } from 'fastify'
import { reach } from '../../http/consistency.ts'
import type { ReachContext } from '../../http/consistency.ts'
import { parametersOf, readOptions } from '../../http/parameters.ts'
import { serverMembers } from '../agent/members.ts'
import type { ServerMember } from '../agent/members.ts'

/** The servers, with the consistency that the request asks for. */
export async function membersFor(
  context: ReachContext,
  request: FastifyRequest,
): Promise<readonly ServerMember[]> {
  const { backend } = context
  await reach(context, readOptions(parametersOf(request), backend.identity).consistency)
  return serverMembers({ backend })
}

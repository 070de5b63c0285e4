import type { FastifyRequest } from 'fastify'
import { reach } from '../../../http/consistency.ts'
import type { ReachContext } from '../../../http/consistency.ts'
import { parametersOf, readOptions } from '../../../http/parameters.ts'
import { serverMembers } from '../agent/members.ts'
import type { MembersContext, ServerMember } from '../agent/members.ts'

/** The servers, with the consistency that the request asks for. */
export async function membersFor(
  context: ReachContext & MembersContext,
  request: FastifyRequest,
): Promise<readonly ServerMember[]> {
  await reach(context, readOptions(parametersOf(request), context.identity).consistency)
  return serverMembers(context)
}

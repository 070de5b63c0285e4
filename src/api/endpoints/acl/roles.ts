import { randomUUID } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { roleShape } from '../../../definition/acl.ts'
import type { RoleBody } from '../../../definition/acl.ts'
import { rowsOf } from '../../../http/answer.ts'
import type { Asked } from '../../../http/endpoint.ts'
import * as docs from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import { sendJson } from '../../../http/reply.ts'
import { list, text } from '../../../http/schemas.ts'
import { isAclId } from '../../../state/acl/model.ts'
import type { AclRole, RoleDefinition } from '../../../state/acl/model.ts'
import type { AclReader } from '../../../state/acl/reader.ts'
import { aclSubject } from '../../../state/acl/subjects.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { roleJson } from './encode.ts'
import { grantsOf } from './grants.ts'
import { checkName, namedDeletion, namedReads } from './named.ts'
import type { Named } from './named.ts'
import {
  aclEndpoint,
  aclRead,
  aclState,
  aclWrite,
  filterParameter,
  idIn,
  lateJson,
  needsAclRead,
  propose,
  reachToWrite,
  refuseOtherId,
} from './rows.ts'
import type { Late } from './rows.ts'
import { roleSchema } from './schemas.ts'

const body = lateJson(roleShape)

const named: Named<AclRole> = {
  kind: 'role',
  subject: aclSubject.roles,
  schema: roleSchema,
  readErrors: [404],
  byId: (reader, id) => reader.role(id),
  byName: (reader, name) => reader.roleNamed(name),
  json: roleJson,
}

/** acl/role and acl/roles. */
export const roleEndpoints: readonly ApiEndpoint[] = [
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/roles',
    permission: aclRead,
    summary: 'List the roles',
    query: {
      policy: { ...text, description: 'Only roles with the policy of this ID' },
      ...docs.readQuery,
    },
    answer: list(roleSchema),
    handle(context, request, reply) {
      const state = aclState(context)
      return reads((_context, parameters) => {
        const policy = filterParameter(parameters, 'policy')
        return {
          state,
          subject: aclSubject.roles,
          needs: needsAclRead,
          answer: (reader: AclReader) => ({
            kind: 'list',
            rows: rowsOf(reader.roles(), (role) => {
              const isListed = policy === undefined || role.policies.includes(policy)
              return isListed ? roleJson(role, reader) : undefined
            }),
          }),
        }
      })(context, request, reply)
    },
  }),
  aclEndpoint<Late<RoleBody>>({
    method: 'PUT',
    path: '/v1/acl/role',
    permission: aclWrite,
    summary: 'Create a role',
    query: docs.dc,
    body,
    answer: roleSchema,
    errors: [413, 503],
    async handle(context, request, reply) {
      const given = request.body.decoded()
      if ((given.ID ?? '') !== '') throw svcdError('acl-id-given', { what: 'role' })
      return put(context, request, reply, { id: randomUUID(), mode: 'create', given })
    },
  }),
  ...namedReads(named),
  aclEndpoint<Late<RoleBody>>({
    method: 'PUT',
    path: '/v1/acl/role/{id}',
    permission: aclWrite,
    summary: 'Replace a role',
    query: docs.dc,
    body,
    answer: roleSchema,
    errors: [404, 413, 503],
    async handle(context, request, reply) {
      const id = idIn(request, 'role')
      const given = request.body.decoded()
      refuseOtherId(id, given.ID, 'Role ID')
      if (!isAclId(id)) throw svcdError('acl-role-gone', { id })
      return put(context, request, reply, { id, mode: 'update', given })
    },
  }),
  namedDeletion(named, 'Delete a role. Tokens lose it'),
]

function definitionOf(given: RoleBody, reader: AclReader): RoleDefinition {
  const { Name: name = '', Description: description = '' } = given
  checkName(name, 'role')
  return { name, description, ...grantsOf(given, 'role', reader) }
}

async function put(
  context: ApiContext,
  request: Asked,
  reply: FastifyReply,
  what: { readonly id: string; readonly mode: 'create' | 'update'; readonly given: RoleBody },
): Promise<FastifyReply> {
  await reachToWrite(context, request)
  const { id, mode, given } = what
  const state = aclState(context)
  const role = state.read((reader) => definitionOf(given, reader))
  const command = { kind: 'acl-role-put', id, mode, role } as const
  const refusal = await propose(context, request, command, role.name)
  if (refusal === 'taken-name') {
    const reason = `A Role with Name "${role.name}" already exists`
    throw svcdError('acl-role-invalid', { reason })
  }
  const [kind, value = ''] = (refusal ?? '').split(' ')
  if (kind === 'unknown-policy') {
    throw svcdError('acl-link-unknown', { what: 'policy', by: 'ID', value })
  }
  const json = state.read((reader) => {
    const stored = reader.role(id)
    return stored === undefined ? undefined : roleJson(stored, reader)
  })
  if (refusal !== undefined || json === undefined) throw svcdError('acl-role-gone', { id })
  return sendJson(request, reply, json)
}

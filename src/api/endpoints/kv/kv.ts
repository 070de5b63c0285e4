import type { FastifyReply } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import type { KvCommand } from '../../../state/kv/commands.ts'
import { kvFamily } from '../../../state/kv/family.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { bytes } from '../../../http/body.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { originOf } from '../../../http/origin.ts'
import { readOptions } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import { sendJson } from '../../../http/reply.ts'
import { mustAllow } from '../../../http/requesters.ts'
import { flag, list, text } from '../../../http/schemas.ts'
import { entrySchema } from './entry-row.ts'
import { refuseConflict, unsignedParameter } from './flags.ts'
import { keyOf } from './key.ts'
import { lockCommand, proposeLock } from './lock.ts'
import { kvQuestion } from './questions.ts'

/** Consul's kv_max_value_size. */
const valueBytesMax = 512 * 1024

const present = (description: string) => ({ type: 'string', description })
const number = (description: string) => ({ type: 'integer', minimum: 0, description })
const session = (description: string) => ({ type: 'string', format: 'uuid', description })
const cas = {
  cas: number('Only if the ModifyIndex of the key is this one; 0 = only if the key does not exist'),
}

/** kv/{key}: keys with values. */
export const kvEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/kv/{key}',
    permission: { handlerChecks: [{ resource: 'key', access: 'read' }] },
    summary: 'Read a key, or list the keys or entries that begin with a prefix',
    query: {
      recurse: present('Return all entries whose key begins with the prefix'),
      keys: present('Return only the keys that begin with the prefix'),
      separator: {
        ...text,
        description: 'With keys: cut each key at the first separator behind the prefix',
      },
      raw: present('Return the value as it is, as text/plain'),
      ...query.readQuery,
    },
    answer: { anyOf: [list(entrySchema), list(text)] },
    errors: [404],
    handle(context, request, reply) {
      const key = keyOf(request, reply)
      if (key === undefined) return reply
      const state = context.families.of(kvFamily)
      return reads(() => kvQuestion(state, key, request.query))(context, request, reply)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/kv/{key}',
    permission: { handlerChecks: [{ resource: 'key', access: 'write' }] },
    summary: 'Write the value of a key; the body is the value',
    query: {
      flags: number('A number up to 2^64-1 for the client'),
      ...cas,
      acquire: session('Lock the key for this session; false if it is locked'),
      release: session('Unlock the key; false if this session does not hold it'),
      ...query.dc,
    },
    body: bytes({ type: 'string', format: 'binary' }, valueBytesMax),
    answer: flag,
    errors: [413, 501, 503],
    async handle(context, request, reply) {
      const key = keyOf(request, reply)
      if (key === undefined) return reply
      const { query: parameters, body } = request
      readOptions(parameters, context.identity)
      mayWrite(context, request, key)
      refuseEmpty(key)
      refuseConflict(parameters, 'cas', 'acquire', 'release')
      const flags = unsignedParameter(parameters, 'flags') ?? '0'
      const cas = unsignedParameter(parameters, 'cas')
      const value = body?.toString('base64') ?? ''
      const asked = { key, value, flags }
      const lock = lockCommand(parameters, asked)
      if (lock !== undefined) return proposeLock(context, request, reply, lock)
      return propose(context, request, reply, { kind: 'kv-put', ...asked, cas })
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/v1/kv/{key}',
    permission: { handlerChecks: [{ resource: 'key', access: 'write' }] },
    summary: 'Delete a key, or all keys that begin with a prefix',
    query: { recurse: present('Delete all keys that begin with the prefix'), ...cas, ...query.dc },
    answer: flag,
    errors: [503],
    async handle(context, request, reply) {
      const key = keyOf(request, reply)
      if (key === undefined) return reply
      const { query: parameters } = request
      readOptions(parameters, context.identity)
      mayWrite(
        context,
        request,
        key,
        parameters['recurse'] === undefined ? 'write' : 'write-prefix',
      )
      refuseConflict(parameters, 'recurse', 'cas')
      if (parameters['recurse'] !== undefined) {
        return propose(context, request, reply, { kind: 'kv-delete-tree', prefix: key })
      }
      refuseEmpty(key)
      const cas = unsignedParameter(parameters, 'cas')
      return propose(context, request, reply, { kind: 'kv-delete', key, cas })
    },
  }),
]

/** Throws `permission-denied`. */
function mayWrite(
  context: ApiContext,
  request: Asked,
  name: string,
  access: 'write' | 'write-prefix' = 'write',
): void {
  mustAllow(context.requesterOf(request), { resource: 'key', name, access })
}

function refuseEmpty(key: string): void {
  if (key === '') throw svcdError('missing-name', { what: 'key name' })
}

const causeLengthMax = 100

/** True: it was done. False: the key does not have the index that `cas` names. */
async function propose(
  { writes }: ApiContext,
  request: Asked,
  reply: FastifyReply,
  body: KvCommand,
): Promise<FastifyReply> {
  const cause = `${body.kind} ${body.kind === 'kv-delete-tree' ? body.prefix : body.key}`
  const outcome = await writes.propose(body, originOf(request, cause.slice(0, causeLengthMax)))
  return sendJson(request, reply, outcome.ok && outcome.value !== false)
}

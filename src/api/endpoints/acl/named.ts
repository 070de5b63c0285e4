import { svcdError } from '../../../base/errors.ts'
import type { JsonSchema } from '../../../definition/decode.ts'
import * as docs from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { flag } from '../../../http/schemas.ts'
import { isAclId } from '../../../state/acl/model.ts'
import type { AclReader } from '../../../state/acl/reader.ts'
import type { ApiEndpoint } from '../../context.ts'
import {
  aclEndpoint,
  aclRead,
  aclState,
  aclWrite,
  answerOne,
  idIn,
  needsAclRead,
  propose,
  reachToWrite,
} from './rows.ts'

/** What the endpoints need to know of policies or of roles, which both have an ID and a name. */
export interface Named<T> {
  readonly kind: 'policy' | 'role'
  readonly subject: string
  readonly schema: JsonSchema
  /** Statuses of errors of a read. */
  readonly readErrors: readonly number[]
  readonly byId: (reader: AclReader, id: string) => T | undefined
  readonly byName: (reader: AclReader, name: string) => T | undefined
  readonly json: (found: T, reader: AclReader) => object
}

/** Reads of one of them, by its ID and by its name. */
export function namedReads<T>(named: Named<T>): readonly ApiEndpoint[] {
  const { kind, subject, schema, readErrors, byId, byName, json } = named
  const common = {
    method: 'GET',
    permission: aclRead,
    query: docs.readQuery,
    answer: schema,
    errors: readErrors,
  } as const
  const shown = (found: T | undefined, what: string, reader: AclReader): object => {
    if (found === undefined) throw svcdError(`acl-${kind}-unknown`, { what })
    return json(found, reader)
  }
  return [
    aclEndpoint({
      ...common,
      path: `/v1/acl/${kind}/{id}`,
      summary: `Read a ${kind} by its ID`,
      handle(context, request, reply) {
        const id = idIn(request, kind)
        const find = (reader: AclReader): object =>
          shown(byId(reader, id), `with ID "${id}"`, reader)
        return answerOne(context, request, reply, { subject, needs: needsAclRead, find })
      },
    }),
    aclEndpoint({
      ...common,
      path: `/v1/acl/${kind}/name/{name}`,
      summary: `Read a ${kind} by its name`,
      handle(context, request, reply) {
        const name = request.params
        if (name === '') throw svcdError('acl-id-missing', { what: `${kind} Name` })
        const find = (reader: AclReader): object =>
          shown(byName(reader, name), `with name "${name}"`, reader)
        return answerOne(context, request, reply, { subject, needs: needsAclRead, find })
      },
    }),
  ]
}

/** The deletion of one of them. `refuse` throws for what must stay. */
export function namedDeletion<T>(
  { kind, byId }: Named<T>,
  summary: string,
  refuse: (id: string) => void = () => {},
): ApiEndpoint {
  return aclEndpoint({
    method: 'DELETE',
    path: `/v1/acl/${kind}/{id}`,
    permission: aclWrite,
    summary,
    query: docs.dc,
    answer: flag,
    errors: [503],
    async handle(context, request, reply) {
      const id = idIn(request, kind)
      await reachToWrite(context, request)
      refuse(id)
      const isKnown =
        isAclId(id) && aclState(context).read((reader) => byId(reader, id)) !== undefined
      if (isKnown) await propose(context, request, { kind: `acl-${kind}-delete`, id }, id)
      return sendJson(request, reply, true)
    },
  })
}

/** Consul's rule for the names of policies and roles. */
const namePattern = /^[A-Za-z0-9\-_]{1,128}$/

/** Throws `acl-policy-invalid`, `acl-role-invalid`. */
export function checkName(name: string, kind: 'policy' | 'role'): void {
  const code = `acl-${kind}-invalid` as const
  if (name === '') throw svcdError(code, { reason: 'no Name is set' })
  if (namePattern.test(name)) return
  const reason = "invalid Name. Only alphanumeric characters, '-' and '_' are allowed"
  throw svcdError(code, { reason: `${reason}, and at most 128` })
}

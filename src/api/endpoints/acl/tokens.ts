import { randomUUID } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { tokenShape } from '../../../definition/acl.ts'
import type { TokenBody } from '../../../definition/acl.ts'
import { rowsOf } from '../../../http/answer.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { parametersOf } from '../../../http/parameters.ts'
import * as docs from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import { sendJson } from '../../../http/reply.ts'
import { flag, list, text } from '../../../http/schemas.ts'
import { secretOf } from '../../../http/secret-of.ts'
import { anonymousToken, isAclId } from '../../../state/acl/model.ts'
import type { AclToken, TokenDefinition } from '../../../state/acl/model.ts'
import type { AclReader } from '../../../state/acl/reader.ts'
import { anonymousSecret, hashOfSecret } from '../../../state/acl/secret-hash.ts'
import { aclSubject } from '../../../state/acl/subjects.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { hiddenSecret, tokenJson, tokenListJson } from './encode.ts'
import {
  aclEndpoint,
  aclRead,
  aclState,
  aclWrite,
  answerOne,
  filterParameter,
  idIn,
  lateJson,
  needsAclRead,
  propose,
  reachToWrite,
  refuseOtherId,
} from './rows.ts'
import type { Late } from './rows.ts'
import { tokenRow, tokenSchema } from './schemas.ts'
import { changedToken, chosenId, newToken } from './token-body.ts'

const body = lateJson(tokenShape)

/** acl/token and acl/tokens. */
export const tokenEndpoints: readonly ApiEndpoint[] = [
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/tokens',
    permission: aclRead,
    summary: 'List the tokens, without their secrets',
    query: {
      policy: { ...text, description: 'Only tokens with the policy of this ID' },
      role: { ...text, description: 'Only tokens with the role of this ID' },
      authmethod: { ...text, description: 'Accepted; no token comes from an auth method' },
      ...docs.readQuery,
    },
    answer: list(tokenRow),
    handle(context, request, reply) {
      const isListed = tokenFilter(request)
      const state = aclState(context)
      return reads(() => ({
        state,
        subject: aclSubject.tokens,
        needs: needsAclRead,
        answer: (reader: AclReader) => ({
          kind: 'list',
          rows: rowsOf(reader.tokens(), (token) => {
            const isShown = isListed(token) && !isExpired(token, context)
            return isShown ? tokenListJson(token, reader) : undefined
          }),
        }),
      }))(context, request, reply)
    },
  }),
  aclEndpoint<Late<TokenBody>>({
    method: 'PUT',
    path: '/v1/acl/token',
    permission: aclWrite,
    summary: 'Create a token',
    query: docs.dc,
    body,
    answer: tokenSchema,
    errors: [413, 503],
    async handle(context, request, reply) {
      const given = request.body.decoded()
      await reachToWrite(context, request)
      const made = aclState(context).read((reader) => {
        const accessorId = chosenId('AccessorID', given.AccessorID, reader)
        const secret = chosenId('SecretID', given.SecretID, reader)
        return { accessorId, secret, token: newToken(given, reader, context.wallMs()) }
      })
      return sendJson(request, reply, await create(context, request, made))
    },
  }),
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/token/self',
    permission: { none: 'everybody may see the token that they send' },
    summary: 'Read the token of this request',
    query: docs.readQuery,
    answer: tokenSchema,
    handle(context, request, reply) {
      const sent = secretOf(request)
      const { accessorId } = context.tokens.requester(sent)
      return answerOne(context, request, reply, {
        subject: aclSubject.tokens,
        needs: undefined,
        find: (reader) => {
          const token = reader.token(accessorId)
          if (token === undefined) throw svcdError('acl-not-found', {})
          const isAnonymous = accessorId === anonymousToken.accessorId
          // Not the secret of the agent's default token, which its sender does not know.
          const secret = sent ?? (isAnonymous ? anonymousSecret : hiddenSecret)
          return tokenJson(token, secret, reader)
        },
      })
    },
  }),
  aclEndpoint({
    method: 'GET',
    path: '/v1/acl/token/{accessor}',
    permission: aclRead,
    summary: 'Read a token. Its secret is shown for ten minutes, by the server that created it',
    query: docs.readQuery,
    answer: tokenSchema,
    handle(context, request, reply) {
      const id = idIn(request, 'token')
      return answerOne(context, request, reply, {
        subject: aclSubject.tokens,
        needs: needsAclRead,
        find: (reader) => {
          const token = tokenOf(reader, id, context)
          if (token === undefined) throw svcdError('acl-token-unknown', { id })
          return tokenJson(token, shownSecret(context, request, token.accessorId), reader)
        },
      })
    },
  }),
  aclEndpoint<Late<TokenBody>>({
    method: 'PUT',
    path: '/v1/acl/token/{accessor}',
    permission: aclWrite,
    summary: 'Replace a token. Its secret and its expiration stay',
    query: docs.dc,
    body,
    answer: tokenSchema,
    errors: [404, 413, 503],
    async handle(context, request, reply) {
      const id = idIn(request, 'token')
      const given = request.body.decoded()
      refuseOtherId(id, given.AccessorID, 'Token Accessor ID')
      await reachToWrite(context, request)
      const { accessorId, secretHash, token } = aclState(context).read((reader) => {
        const before = tokenOf(reader, id, context)
        if (before === undefined) throw svcdError('acl-token-gone', { id })
        return { ...before, token: changedToken(given, before, reader) }
      })
      const command = { kind: 'acl-token-put', mode: 'update', accessorId, secretHash } as const
      refuseLink(await propose(context, request, { ...command, token }, accessorId), accessorId)
      const { SecretID: sent = '' } = given
      const known = hashOfSecret(sent) === secretHash ? sent : undefined
      const secret = known ?? shownSecret(context, request, accessorId)
      return sendJson(request, reply, storedJson(context, accessorId, secret))
    },
  }),
  aclEndpoint<Late<TokenBody>>({
    method: 'PUT',
    path: '/v1/acl/token/{accessor}/clone',
    operation: 'clone_token',
    permission: aclWrite,
    summary: 'Create a token with the same policies, roles and identities',
    query: docs.dc,
    body,
    answer: tokenSchema,
    errors: [413, 503],
    async handle(context, request, reply) {
      const id = idIn(request, 'token')
      const given = request.body.decoded()
      await reachToWrite(context, request)
      const token = aclState(context).read((reader): TokenDefinition => {
        const before = tokenOf(reader, id, context)
        if (before === undefined) throw svcdError('acl-token-unknown', { id })
        const { Description: description = '' } = given
        return {
          // Links to what is gone are not copied.
          policies: reader.policyLinks(before.policies).map((link) => link.id),
          roles: reader.roleLinks(before.roles).map((link) => link.id),
          serviceIdentities: before.serviceIdentities,
          nodeIdentities: before.nodeIdentities,
          description: description === '' ? before.description : description,
          isLocal: before.isLocal,
          createTimeMs: context.wallMs(),
          expirationTimeMs: before.expirationTimeMs,
        }
      })
      return sendJson(request, reply, await create(context, request, { token }))
    },
  }),
  aclEndpoint({
    method: 'DELETE',
    path: '/v1/acl/token/{accessor}',
    permission: aclWrite,
    summary: 'Delete a token',
    query: docs.dc,
    answer: flag,
    errors: [503],
    async handle(context, request, reply) {
      const id = idIn(request, 'token').toLowerCase()
      if (!isAclId(id)) {
        const reason = 'Accessor ID is missing or an invalid UUID'
        throw svcdError('acl-token-invalid', { reason })
      }
      await reachToWrite(context, request)
      if (id === anonymousToken.accessorId) throw svcdError('acl-anonymous-fixed', {})
      const sent = secretOf(request)
      const own = sent === undefined ? undefined : context.tokens.requester(sent).accessorId
      if (own === id) throw svcdError('acl-own-token', {})
      const isKnown = aclState(context).read((reader) => reader.token(id)) !== undefined
      const command = { kind: 'acl-token-delete', accessorId: id } as const
      if (isKnown) await propose(context, request, command, id)
      context.newSecrets.remove(id)
      return sendJson(request, reply, true)
    },
  }),
]

/** Undefined: there is none, or its time is over. */
function tokenOf(reader: AclReader, id: string, context: ApiContext): AclToken | undefined {
  const token = reader.token(id)
  return token === undefined || isExpired(token, context) ? undefined : token
}

function isExpired({ expirationTimeMs }: AclToken, { wallMs }: ApiContext): boolean {
  return expirationTimeMs !== 0 && expirationTimeMs <= wallMs()
}

/** Throws `acl-filters`. */
function tokenFilter(request: FastifyRequest): (token: AclToken) => boolean {
  const parameters = parametersOf(request)
  const [policy, role, method] = ['policy', 'role', 'authmethod'].map((name) =>
    filterParameter(parameters, name),
  )
  const given = [policy, role, method].filter((value) => value !== undefined)
  if (given.length > 1) throw svcdError('acl-filters', {})
  if (method !== undefined) return () => false
  if (policy !== undefined) return ({ policies }) => policies.includes(policy)
  return role === undefined ? () => true : ({ roles }) => roles.includes(role)
}

/** Only hashes are stored: the secret of a token is known to the server that has just created it. */
function shownSecret(context: ApiContext, request: FastifyRequest, accessorId: string): string {
  if (!context.callerOf(request).rights.allows('acl', '', 'write')) return hiddenSecret
  if (accessorId === anonymousToken.accessorId) return anonymousSecret
  return context.newSecrets.get(accessorId) ?? hiddenSecret
}

/** Makes a token, with random IDs where the client has chosen none. */
async function create(
  context: ApiContext,
  request: Asked,
  what: {
    readonly accessorId?: string | undefined
    readonly secret?: string | undefined
    readonly token: TokenDefinition
  },
): Promise<object> {
  const { accessorId = randomUUID(), secret = randomUUID(), token } = what
  const secretHash = hashOfSecret(secret)
  const command = { kind: 'acl-token-put', mode: 'create', accessorId, secretHash, token } as const
  const id = accessorId.toLowerCase()
  refuseLink(await propose(context, request, command, id), id)
  context.newSecrets.add(id, secret)
  return storedJson(context, id, secret)
}

/** Throws the error of a refusal. */
function refuseLink(refusal: string | undefined, id: string): void {
  if (refusal === undefined) return
  const [kind = '', value = ''] = refusal.split(' ')
  switch (kind) {
    case 'unknown-policy':
      throw svcdError('acl-link-unknown', { what: 'policy', by: 'ID', value })
    case 'unknown-role':
      throw svcdError('acl-link-unknown', { what: 'role', by: 'ID', value })
    case 'taken-id':
      throw svcdError('acl-token-invalid', { reason: 'AccessorID is already in use' })
    case 'taken-secret':
      throw svcdError('acl-token-invalid', { reason: 'SecretID is already in use' })
    default:
      throw svcdError('acl-token-gone', { id })
  }
}

function storedJson(context: ApiContext, id: string, secret: string): object {
  return aclState(context).read((reader) => {
    const token = reader.token(id)
    if (token === undefined) throw svcdError('acl-token-gone', { id })
    return tokenJson(token, secret, reader)
  })
}

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../access/caller.ts'
import { anybody } from '../access/requester.ts'
import type { Requester } from '../access/requester.ts'
import { svcdError } from '../base/errors.ts'
import type { Identity } from '../ports/identity.ts'
import type { Tokens } from '../ports/tokens.ts'
import type { CheckedNeed, Need, Needs } from './permissions.ts'
import { secretOf } from './secret-of.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent it. Undefined until it is looked up. */
    requester: Requester | undefined
  }
}

/** What handlers and waits ask about who sends a request. */
export interface RequesterContext {
  readonly identity: Identity
  /** Who sends it. The same for all of a request until it waits. Throws `acl-not-found`. */
  readonly requesterOf: (request: FastifyRequest) => Requester
  /** Who sends it according to the present state: for use after a wait. Throws `acl-not-found`. */
  readonly requesterNow: (request: FastifyRequest) => Requester
  /** The rights of who sends it. Callers with the same rights are one object. */
  readonly callerOf: (request: FastifyRequest) => Caller
  /** The rights of a token that is stored in an object, such as a prepared query. Throws `acl-not-found`. */
  readonly callerWith: (secret: string) => Caller
}

/** Asks `tokens` who sends requests. */
export function requesters(tokens: Tokens): Omit<RequesterContext, 'identity'> {
  const requesterNow = (request: FastifyRequest): Requester => {
    const requester = tokens.isEnabled ? tokens.requester(secretOf(request)) : anybody
    request.requester = requester
    return requester
  }
  const requesterOf = (request: FastifyRequest): Requester =>
    request.requester ?? requesterNow(request)
  return {
    requesterOf,
    requesterNow,
    callerOf: (request) => requesterOf(request).caller,
    callerWith: (secret) => (tokens.isEnabled ? tokens.requester(secret) : anybody).caller,
  }
}

/** Throws `permission-denied` when the requester lacks a right. */
export function mustAllow({ caller, accessorId }: Requester, need: Need): void {
  const { resource, name, access } = need
  if (caller.rights.allows(resource, name, access)) return
  throw svcdError('permission-denied', {
    accessor: accessorId,
    permission: permissionText(need),
    on: name === '' ? '' : ` on ${JSON.stringify(name)}`,
  })
}

/** `key:write`; a write of all keys below a prefix is one of the keys. */
export function permissionText({ resource, access }: Need): string {
  return `${resource}:${access === 'write-prefix' ? 'write' : access}`
}

/** Checks what a row says that its requests need, as far as the row itself can say it. */
export function checkOf(
  needs: Needs,
): ((context: RequesterContext, request: FastifyRequest) => void) | undefined {
  if ('none' in needs) return undefined
  // The handler checks the rest. A secret that no token has is refused before it does anything.
  if ('filteredBy' in needs || 'handlerChecks' in needs) {
    return (context, request) => void context.requesterOf(request)
  }
  return (context, request) =>
    mustAllow(context.requesterOf(request), needOf(needs, context, request))
}

function needOf(needs: CheckedNeed, { identity }: RequesterContext, request: FastifyRequest): Need {
  const { resource, access } = needs
  if (!('name' in needs)) return { resource, access, name: '' }
  const name = needs.name === 'argument' ? (request.params as string) : identity.nodeName
  return { resource, access, name }
}

/**
 * Says in Consul's header that rows were left out, but only to a client that has sent a token, as Consul: others
 * learn nothing.
 */
export function tellFiltered(request: FastifyRequest, reply: FastifyReply): void {
  if (secretOf(request) !== undefined) reply.header('X-Consul-Results-Filtered-By-ACLs', 'true')
}

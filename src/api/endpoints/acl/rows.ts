import type { FastifyReply } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { decodeBody } from '../../../definition/decode.ts'
import type { Reader } from '../../../definition/decode.ts'
import type { BodyReader } from '../../../http/body.ts'
import type { Asked, Endpoint } from '../../../http/endpoint.ts'
import { originOf } from '../../../http/origin.ts'
import { parameter, readOptions } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import type { Need } from '../../../http/permissions.ts'
import { timeoutMs, untilFound } from '../../../http/blocking.ts'
import { addReadHeaders, reach } from '../../../http/consistency.ts'
import { sendJson } from '../../../http/reply.ts'
import { mustAllow } from '../../../http/requesters.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import type { AclCommand, AclRefusal } from '../../../state/acl/commands.ts'
import { aclFamily } from '../../../state/acl/family.ts'
import type { AclReader } from '../../../state/acl/reader.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'

export const aclRead = { resource: 'acl', access: 'read' } as const
export const aclWrite = { resource: 'acl', access: 'write' } as const
/** For questions: the right is asked for again after a wait. */
export const needsAclRead: Need = { ...aclRead, name: '' }
const needsAclWrite: Need = { ...aclWrite, name: '' }

/** A body that is decoded when the handler asks for it. */
export interface Late<T> {
  readonly decoded: () => T
}

/** While access control is off, every endpoint says so, whatever the request is. */
export function aclEndpoint<Body = undefined>(row: Endpoint<ApiContext, Body>): ApiEndpoint {
  return endpoint<Body>({
    ...row,
    errors: [401, 403, ...(row.errors ?? [])],
    handle(context, request, reply) {
      if (!context.tokens.isEnabled) throw svcdError('acl-disabled', {})
      return row.handle(context, request, reply)
    },
  })
}

/** As `json`, but an error never repeats the body, which may contain a secret. */
export function lateJson<T>(reader: Reader<T>, bytesMax?: number): BodyReader<Late<T>> {
  const read = (raw: unknown): Late<T> => {
    return { decoded: () => decodeBody(raw, reader, parseWithoutEcho) }
  }
  const schema = reader.schema ?? {}
  return bytesMax === undefined ? { schema, read } : { schema, bytesMax, read }
}

function parseWithoutEcho(text: string): unknown {
  let isCut: boolean
  try {
    return JSON.parse(text)
  } catch (error) {
    isCut = /end of JSON input|Unterminated string/.test(String(error))
  }
  // Without the cause, whose text repeats the body.
  throw new Error(isCut ? 'end of JSON input' : 'the body is not valid JSON')
}

export function aclState({ families }: ApiContext): FamilyReads<AclReader> {
  return families.of(aclFamily)
}

const causeLengthMax = 100

/** Undefined: it was done. */
export async function propose(
  { writes }: ApiContext,
  request: Asked,
  body: AclCommand,
  what: string,
): Promise<AclRefusal | undefined> {
  const cause = `${body.kind} ${what}`.trimEnd().slice(0, causeLengthMax)
  const outcome = await writes.propose(body, originOf(request, cause))
  return outcome.ok ? (outcome.value as AclRefusal | undefined) : undefined
}

/** Refuses a read or write of another datacenter and the like, and waits until all earlier writes are seen. */
export async function reachNow(context: ApiContext, parameters: Parameters): Promise<void> {
  await reach(context, readOptions(parameters, context.identity).consistency)
}

/** As {@link reachNow}. Throws `permission-denied` if one of the earlier writes took the right to write tokens away. */
export async function reachToWrite(context: ApiContext, request: Asked): Promise<void> {
  await reachNow(context, request.query)
  mustAllow(context.requesterNow(request), needsAclWrite)
}

/** A question that {@link answerOne} answers. */
export interface OneQuestion {
  readonly subject: string
  /** Undefined: the requester asks about its own token. */
  readonly needs: Need | undefined
  /** Throws if it is not there. */
  readonly find: (reader: AclReader) => object
}

/** The answer to a read of one object: blocking, but not kept, because a secret in it is shown for a while only. */
export async function answerOne(
  context: ApiContext,
  request: Asked,
  reply: FastifyReply,
  { subject, needs, find }: OneQuestion,
): Promise<FastifyReply> {
  const { identity, freshness, random } = context
  const { consistency, index: above, waitMs } = readOptions(request.query, identity)
  await reach(context, consistency)
  const state = aclState(context)
  const limitMs = (): number => timeoutMs(waitMs, random)
  const look = (_since: number, isLast: boolean) => {
    // It has waited, and its token may have other rights by now, or none.
    const requester = context.requesterNow(request)
    if (needs !== undefined) mustAllow(requester, needs)
    return state.read((reader) => {
      const value = find(reader)
      const index = Math.max(1, reader.indexOf(subject))
      const isKnown = above > 0 && index <= above && above <= Math.max(1, reader.appliedIndex())
      return isKnown && !isLast ? undefined : { index, value }
    })
  }
  const { index, value } = await untilFound(context, reply, { state, subject, limitMs }, look)
  if (reply.raw.destroyed) return reply.hijack()
  addReadHeaders(reply, freshness, consistency, index)
  return sendJson(request, reply, value)
}

/** The ID in the path. Throws `acl-id-missing`. */
export function idIn({ params: id }: Asked, kind: 'token' | 'policy' | 'role'): string {
  if (id === '') throw svcdError('acl-id-missing', { what: `${kind} ID` })
  return id
}

/** Throws `acl-id-differs` unless the ID in the body, if there is one, is that in the path. */
export function refuseOtherId(id: string, inBody: string | undefined, what: string): void {
  const isOther = (inBody ?? '') !== '' && inBody?.toLowerCase() !== id.toLowerCase()
  if (isOther) throw svcdError('acl-id-differs', { what })
}

/** A parameter that was given and is not empty. */
export function filterParameter(parameters: Parameters, name: string): string | undefined {
  const value = parameter(parameters, name)
  return value === '' ? undefined : value
}

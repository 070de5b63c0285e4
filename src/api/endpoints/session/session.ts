import { randomUUID } from 'node:crypto'
import { svcdError } from '../../../base/errors.ts'
import { decodeBody } from '../../../definition/decode.ts'
import type { Outcome } from '../../../state/machine/command.ts'
import { sessionFamily } from '../../../state/session/family.ts'
import type { SessionDefinition } from '../../../state/session/model.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import type { BodyReader } from '../../../http/body.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { originOf } from '../../../http/origin.ts'
import { readOptions } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import { sendJson } from '../../../http/reply.ts'
import { mustAllow } from '../../../http/requesters.ts'
import { flag, list, object, orNull, text, texts, whole } from '../../../http/schemas.ts'
import { askedSession, sessionDefinition } from './definition.ts'
import type { AskedSession } from './definition.ts'
import { sessionIdOf } from './session-id.ts'
import { allSessions, oneSession, sessionJson, sessionsOfNode } from './questions.ts'

const session = object({
  ID: text,
  Name: text,
  Node: text,
  LockDelay: { ...whole, description: 'In nanoseconds' },
  Behavior: text,
  TTL: text,
  NodeChecks: orNull(texts),
  ServiceChecks: orNull(list(object({ ID: text, Namespace: text }))),
  CreateIndex: whole,
  ModifyIndex: whole,
})
const read = { resource: 'session', access: 'read' } as const
const write = { resource: 'session', access: 'write' } as const
const causeLengthMax = 100

/** A request without a body asks for a session with the defaults. */
const sessionBody: BodyReader<AskedSession> = {
  schema: askedSession.schema ?? {},
  read: (raw) =>
    raw === undefined || (raw as Buffer).length === 0 ? {} : decodeBody(raw, askedSession),
}

/** session/…: sessions, which hold locks on keys. */
export const sessionEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'PUT',
    path: '/v1/session/create',
    permission: { handlerChecks: [write] },
    summary: 'Create a session',
    query: query.dc,
    body: sessionBody,
    answer: object({ ID: text }),
    errors: [501, 503],
    async handle(context, request, reply) {
      const { writes, identity } = context
      readOptions(request.query, identity)
      const definition = sessionDefinition(request.body, randomUUID(), identity)
      mayWrite(context, request, definition.node)
      const origin = originOf(request, `session-create ${definition.name}`.slice(0, causeLengthMax))
      const outcome = await writes.propose({ kind: 'session-create', ...definition }, origin)
      mustBeDone(outcome, definition)
      return sendJson(request, reply, { ID: definition.id })
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/session/destroy/{session}',
    permission: { handlerChecks: [write] },
    summary: 'End a session: its keys are released or deleted',
    query: query.dc,
    answer: flag,
    errors: [501, 503],
    async handle(context, request, reply) {
      const { writes, identity } = context
      readOptions(request.query, identity)
      const id = sessionIdOf(request.params)
      mayEnd(context, request, id)
      await writes.propose({ kind: 'session-destroy', id }, originOf(request, 'session-destroy'))
      return sendJson(request, reply, true)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/session/renew/{session}',
    permission: { handlerChecks: [write] },
    isChange: false,
    summary: 'Grant a session its whole TTL again',
    query: query.dc,
    answer: list(session),
    errors: [404, 503],
    async handle(context, request, reply) {
      const { sessions, identity } = context
      readOptions(request.query, identity)
      const id = sessionIdOf(request.params)
      mayEnd(context, request, id)
      const renewed = await sessions.renew(id)
      if (renewed === undefined) throw svcdError('session-not-found', { id })
      return sendJson(request, reply, [sessionJson(renewed)])
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/session/info/{session}',
    permission: { filteredBy: [read] },
    summary: 'Read a session; the list is empty when it does not exist',
    query: query.readQuery,
    answer: list(session),
    handle(context, request, reply) {
      const id = sessionIdOf(request.params)
      const state = context.families.of(sessionFamily)
      return reads(() => oneSession(state, id))(context, request, reply)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/session/node/{node}',
    permission: { filteredBy: [read] },
    summary: 'List the sessions of a node',
    query: query.readQuery,
    answer: list(session),
    handle(context, request, reply) {
      const { params: node } = request
      if (node === '') throw svcdError('missing-name', { what: 'node name' })
      const state = context.families.of(sessionFamily)
      return reads(() => sessionsOfNode(state, node))(context, request, reply)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/session/list',
    permission: { filteredBy: [read] },
    summary: 'List all sessions',
    query: query.readQuery,
    answer: list(session),
    handle(context, request, reply) {
      const state = context.families.of(sessionFamily)
      return reads(() => allSessions(state))(context, request, reply)
    },
  }),
]

/**
 * Sessions belong to nodes, and rules of sessions name nodes. Names of nodes match without regard to case, rules do not,
 * so the rule of the registered name counts as well. Throws `permission-denied`.
 */
function mayWrite(context: ApiContext, request: Asked, node: string): void {
  const registered = context.catalog.read((reader) => reader.node(node)?.name ?? node)
  for (const name of new Set([registered, node])) {
    mustAllow(context.requesterOf(request), { resource: 'session', name, access: 'write' })
  }
}

/** Throws `permission-denied`. A session that is not there may be ended by everybody. */
function mayEnd(context: ApiContext, request: Asked, id: string): void {
  const { rights } = context.requesterOf(request).caller
  if (rights.allowsAll('session', 'write')) return
  const known = context.families.of(sessionFamily).read((reader) => reader.session(id))
  if (known !== undefined) mayWrite(context, request, known.node)
}

/** Throws what Consul says of a session that cannot be made. */
function mustBeDone(outcome: Outcome, { node }: SessionDefinition): void {
  if (outcome.ok) return
  const { error, subject } = outcome
  if (error === 'unknown-node') throw svcdError('session-node-unknown', { node: subject })
  if (error === 'critical-check') throw svcdError('session-check-critical', { id: subject })
  throw svcdError('session-check-unknown', { id: subject, node })
}

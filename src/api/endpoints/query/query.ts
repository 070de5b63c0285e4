import { randomUUID } from 'node:crypto'
import { svcdError } from '../../../base/errors.ts'
import { preparedQueryShape, queryDefinition } from '../../../definition/prepared-query.ts'
import { validateQuery } from '../../../prepared-query/validate.ts'
import type { QueryCommand, QueryRefusal } from '../../../state/query/commands.ts'
import { queryFamily } from '../../../state/query/family.ts'
import { isQueryId } from '../../../state/query/model.ts'
import type { PreparedQuery, QueryDefinition } from '../../../state/query/model.ts'
import type { QueryReader } from '../../../state/query/reader.ts'
import { querySubject } from '../../../state/query/subjects.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { rowsOf } from '../../../http/answer.ts'
import { json } from '../../../http/body.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { originOf } from '../../../http/origin.ts'
import { readOptions } from '../../../http/parameters.ts'
import * as docs from '../../../http/query-docs.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import type { Need } from '../../../http/permissions.ts'
import { reads } from '../../../http/read.ts'
import type { Question } from '../../../http/renderer.ts'
import { sendDone, sendJson } from '../../../http/reply.ts'
import { mustAllow } from '../../../http/requesters.ts'
import { list, object, text } from '../../../http/schemas.ts'
import { queryJson } from './encode.ts'
import { execute, explain } from './execute.ts'
import { hasRules, mayRead, shownInList, withoutToken } from './rights.ts'
import { executed, explained, queryRow } from './schemas.ts'

type QueryQuestion = Question<QueryReader>

const read = { resource: 'query', access: 'read' } as const
const write = { resource: 'query', access: 'write' } as const

/** query/*: prepared queries. */
export const queryEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/query',
    operation: 'get_queries',
    permission: { filteredBy: [read] },
    summary: 'List the prepared queries',
    query: docs.readQuery,
    answer: list(queryRow),
    handle(context, request, reply) {
      const state = context.families.of(queryFamily)
      return reads(() => allQueries(state))(context, request, reply)
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/query',
    permission: { handlerChecks: [write] },
    summary: 'Create a prepared query',
    query: docs.dc,
    body: json(preparedQueryShape),
    answer: object({ ID: text }),
    errors: [413, 503],
    async handle(context, request, reply) {
      const { body } = request
      readOptions(request.query, context.identity)
      if ((body.ID ?? '') !== '') throw svcdError('query-id-given', {})
      const definition = queryDefinition(body)
      mayWrite(context, request, definition)
      validateQuery(definition)
      const id = randomUUID()
      await propose(context, request, { kind: 'query-put', id, mode: 'create', definition })
      return sendJson(request, reply, { ID: id })
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/query/{query}',
    permission: { handlerChecks: [read] },
    summary: 'Read a prepared query by its ID',
    query: docs.readQuery,
    answer: list(queryRow),
    errors: [404],
    handle(context, request, reply) {
      const state = context.families.of(queryFamily)
      const needs = needsToRead(context, request)
      return reads((_context, _parameters, id) => ({ ...oneQuery(state, id), needs }))(
        context,
        request,
        reply,
      )
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/query/{query}',
    permission: { handlerChecks: [write] },
    summary: 'Replace a prepared query',
    query: docs.dc,
    body: json(preparedQueryShape),
    errors: [413, 503],
    async handle(context, request, reply) {
      readOptions(request.query, context.identity)
      const id = idOf(request.params)
      const definition = queryDefinition(request.body)
      mayWrite(context, request, definition)
      mayWriteKnown(context, request, id)
      validateQuery(definition)
      await propose(context, request, { kind: 'query-put', id, mode: 'update', definition })
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/v1/query/{query}',
    permission: { handlerChecks: [write] },
    summary: 'Delete a prepared query',
    query: docs.dc,
    errors: [503],
    async handle(context, request, reply) {
      readOptions(request.query, context.identity)
      const id = idOf(request.params)
      mayWriteKnown(context, request, id)
      await propose(context, request, { kind: 'query-delete', id })
      return sendDone(reply)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/query/{query}/execute',
    operation: 'execute_query',
    // A query can be executed by everybody, as in Consul. Its result is filtered.
    permission: nodeAndService.read,
    summary: 'List the instances that a prepared query chooses, by its ID or name',
    query: {
      limit: { type: 'integer', description: 'Return at most this many instances; 0 = all' },
      near: {
        ...text,
        description: 'The instances of this node come first; _agent and _ip as in definitions',
      },
      connect: { type: 'boolean', description: 'Only members of a service mesh, so none' },
      cached: docs.readQuery['cached'] ?? text,
      ...docs.consistency,
      ...docs.pretty,
    },
    answer: executed,
    errors: [404],
    handle: execute,
  }),
  endpoint({
    method: 'GET',
    path: '/v1/query/{query}/explain',
    operation: 'explain_query',
    permission: { handlerChecks: [read] },
    summary: 'Read the prepared query that a name finds, with its template filled in',
    query: { ...docs.consistency, ...docs.pretty },
    answer: explained,
    errors: [404],
    handle: explain,
  }),
]

function allQueries(state: FamilyReads<QueryReader>): QueryQuestion {
  return {
    state,
    subject: querySubject.all,
    answer: (reader, viewer) => ({
      kind: 'list',
      rows: rowsOf(reader.queries(), (query) => {
        const shown = shownInList(query, viewer)
        return shown === undefined ? undefined : queryJson(shown)
      }),
    }),
  }
}

/** The right to read the query that a path names. Undefined: there is none, or reading it needs no right. */
function needsToRead(context: ApiContext, request: Asked): Need | undefined {
  const { params: id } = request
  const { rights } = context.callerOf(request)
  const state = context.families.of(queryFamily)
  const query = isQueryId(id) ? state.read((reader) => reader.query(id)) : undefined
  if (query === undefined || mayRead(query, rights)) return undefined
  return { resource: 'query', name: query.name, access: 'read' }
}

/** Throws `permission-denied`. */
function mayWrite(context: ApiContext, request: Asked, query: QueryDefinition): void {
  if (!hasRules(query)) return
  mustAllow(context.requesterOf(request), { resource: 'query', name: query.name, access: 'write' })
}

/** Throws `permission-denied`. An unknown query is refused later, by the state. */
function mayWriteKnown(context: ApiContext, request: Asked, id: string): void {
  if (context.callerOf(request).rights.allowsAll('query', 'write')) return
  const known = context.families.of(queryFamily).read((reader) => reader.query(id))
  if (known !== undefined) mayWrite(context, request, known)
}

/** Throws `query-not-found`, before it would wait and afterwards. */
function oneQuery(state: FamilyReads<QueryReader>, id: string): QueryQuestion {
  const found = (reader: QueryReader): PreparedQuery => {
    const query = isQueryId(id) ? reader.query(id) : undefined
    if (query === undefined) throw svcdError('query-not-found', { name: id })
    return query
  }
  return {
    state,
    subject: querySubject.one(id),
    index: (reader) => {
      // A query that is not there is not waited for.
      found(reader)
      return reader.indexOf(querySubject.one(id))
    },
    answer: (reader, viewer) => {
      const query = found(reader)
      // It may have got another name while this request waited.
      if (!mayRead(query, viewer.caller.rights)) throw svcdError('query-not-found', { name: id })
      return { kind: 'list', rows: [queryJson(withoutToken(query, viewer.caller.rights))] }
    },
  }
}

/** Throws `query-not-there`. */
function idOf(id: string): string {
  if (!isQueryId(id)) throw svcdError('query-not-there', { id })
  return id.toLowerCase()
}

const causeLengthMax = 100

async function propose({ writes }: ApiContext, request: Asked, body: QueryCommand): Promise<void> {
  const name = body.kind === 'query-put' ? ` ${body.definition.name}` : ''
  const cause = `${body.kind} ${body.id}${name}`.trimEnd().slice(0, causeLengthMax)
  const outcome = await writes.propose(body, originOf(request, cause))
  if (outcome.ok && outcome.value !== undefined) {
    throw refusalError(outcome.value as QueryRefusal, body)
  }
}

function refusalError(refusal: QueryRefusal, body: QueryCommand): Error {
  const { id } = body
  const { name = '', session = '' } = body.kind === 'query-put' ? body.definition : {}
  switch (refusal) {
    case 'unknown-query':
      return svcdError('query-not-there', { id })
    case 'taken-name':
      return svcdError('query-name-taken', { name })
    case 'name-of-id':
      return svcdError('query-name-of-id', { name })
    case 'taken-wildcard':
      return svcdError('query-wildcard-taken', {})
    case 'unknown-session':
      return svcdError('query-session-unknown', { session })
    case 'taken-id':
      throw new Error(`the random ID ${id} was taken`)
  }
}

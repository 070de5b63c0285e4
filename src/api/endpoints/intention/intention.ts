import { randomUUID } from 'node:crypto'
import { svcdError } from '../../../base/errors.ts'
import { isUuid } from '../../../base/uuid.ts'
import { intentionDefinition, intentionShape } from '../../../definition/intention.ts'
import { json } from '../../../http/body.ts'
import { reach } from '../../../http/consistency.ts'
import type { Asked, Handle } from '../../../http/endpoint.ts'
import { originOf } from '../../../http/origin.ts'
import { readOptions } from '../../../http/parameters.ts'
import * as docs from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import type { Question } from '../../../http/renderer.ts'
import { sendJson } from '../../../http/reply.ts'
import { mustAllow } from '../../../http/requesters.ts'
import { flag, map, object, orNull, text } from '../../../http/schemas.ts'
import {
  byId,
  checked,
  exactly,
  listed,
  matched,
  needOf,
  pairOf,
} from '../../../intention/questions.ts'
import { intentionRow, intentionRows } from '../../../intention/row.ts'
import type { IntentionCommand, IntentionRefusal } from '../../../state/intention/commands.ts'
import { intentionFamily } from '../../../state/intention/family.ts'
import { shownName } from '../../../state/intention/model.ts'
import type { Intention, IntentionDefinition } from '../../../state/intention/model.ts'
import type { IntentionReader } from '../../../state/intention/reader.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'

const read = { resource: 'intention', access: 'read' } as const
const write = { handlerChecks: [{ resource: 'intention', access: 'write' }] } as const
const pairQuery = {
  source: { ...text, description: 'The name of the calling service, or *' },
  destination: { ...text, description: 'The name of the service that is called, or *' },
}
const path = '/v1/connect/intentions'

/** connect/intentions: who may call whom. */
export const intentionEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'GET',
    path,
    operation: 'get_intentions',
    permission: { filteredBy: [read] },
    summary: 'List the intentions',
    query: { ...docs.filter, ...docs.readQuery },
    answer: intentionRows,
    handle: answers((context, request) => listed(context, request.query)),
  }),
  endpoint({
    method: 'POST',
    path,
    permission: write,
    summary: 'Create an intention',
    query: docs.dc,
    body: json(intentionShape),
    answer: object({ ID: text }),
    errors: [413, 503],
    async handle(context, request, reply) {
      readOptions(request.query, context.identity)
      if ((request.body.ID ?? '') !== '') throw svcdError('intention-id-given', {})
      const intention = intentionDefinition(request.body)
      mayWrite(context, request, intention)
      const id = randomUUID()
      await propose(context, request, { kind: 'intention-put', id, mode: 'create', intention })
      return sendJson(request, reply, { ID: id })
    },
  }),
  endpoint({
    method: 'GET',
    path: `${path}/match`,
    permission: { handlerChecks: [read] },
    summary: 'List the intentions about services, in the order in which they decide',
    query: {
      by: { ...text, description: 'source or destination: the side that is meant' },
      name: { type: 'array', items: text, description: 'A service; may be repeated' },
      ...docs.readQuery,
    },
    answer: map(orNull(intentionRows)),
    handle: answers((context, request) =>
      matched(context, request.query, rightsOf(context, request)),
    ),
  }),
  endpoint({
    method: 'GET',
    path: `${path}/check`,
    permission: { handlerChecks: [{ resource: 'service', access: 'read' }, read] },
    summary: 'Tell whether one service may call another',
    query: {
      ...pairQuery,
      'source-type': { ...text, description: 'consul, or nothing' },
      explain: { ...flag, description: 'Also return the intention that decides' },
      ...docs.readQuery,
    },
    answer: object(
      { Allowed: flag, DecidedBy: text, Intention: orNull(intentionRow) },
      'DecidedBy Intention',
    ),
    handle: answers((context, request) => checked(context, request.query)),
  }),
  endpoint({
    method: 'GET',
    path: `${path}/exact`,
    permission: { handlerChecks: [read] },
    summary: 'Read an intention by its source and destination',
    query: { ...pairQuery, ...docs.readQuery },
    answer: intentionRow,
    errors: [404],
    handle: answers((context, request) =>
      exactly(context, pairOf(request.query), rightsOf(context, request)),
    ),
  }),
  endpoint({
    method: 'PUT',
    path: `${path}/exact`,
    permission: write,
    summary: 'Create or replace the intention with this source and destination',
    query: { ...pairQuery, ...docs.dc },
    body: json(intentionShape),
    answer: flag,
    errors: [413, 503],
    async handle(context, request, reply) {
      readOptions(request.query, context.identity)
      const pair = pairOf(request.query)
      const intention = intentionDefinition(request.body, pair)
      mayWrite(context, request, intention)
      const id = randomUUID()
      // It may have another spelling.
      const known = await knownOf(context, (reader) =>
        reader.between(pair.source, pair.destination),
      )
      if (known !== undefined) mayWrite(context, request, known)
      await propose(context, request, { kind: 'intention-put', id, mode: 'upsert', intention })
      return sendJson(request, reply, true)
    },
  }),
  endpoint({
    method: 'DELETE',
    path: `${path}/exact`,
    permission: write,
    summary: 'Delete the intention with this source and destination, if there is one',
    query: { ...pairQuery, ...docs.dc },
    answer: flag,
    errors: [503],
    async handle(context, request, reply) {
      readOptions(request.query, context.identity)
      const { source, destination } = pairOf(request.query)
      mustAllow(context.requesterOf(request), needOf('write', destination))
      const known = await knownOf(context, (reader) => reader.between(source, destination))
      if (known === undefined) return sendJson(request, reply, true)
      mayWrite(context, request, known)
      await propose(context, request, { kind: 'intention-delete', id: known.id })
      return sendJson(request, reply, true)
    },
  }),
  endpoint({
    method: 'GET',
    path: `${path}/{intention}`,
    permission: { handlerChecks: [read] },
    summary: 'Read an intention by its ID',
    query: docs.readQuery,
    answer: intentionRow,
    errors: [404],
    handle: answers((context, request) =>
      byId(context, request.params, rightsOf(context, request)),
    ),
  }),
  endpoint({
    method: 'PUT',
    path: `${path}/{intention}`,
    permission: write,
    summary: 'Replace an intention',
    query: docs.dc,
    body: json(intentionShape),
    answer: object({ ID: text }),
    errors: [413, 503],
    async handle(context, request, reply) {
      readOptions(request.query, context.identity)
      const { id } = await knownById(context, request, 'modify')
      const intention = intentionDefinition(request.body)
      mayWrite(context, request, intention)
      await propose(context, request, { kind: 'intention-put', id, mode: 'update', intention })
      return sendJson(request, reply, { ID: id })
    },
  }),
  endpoint({
    method: 'DELETE',
    path: `${path}/{intention}`,
    permission: write,
    summary: 'Delete an intention',
    query: docs.dc,
    answer: flag,
    errors: [503],
    async handle(context, request, reply) {
      readOptions(request.query, context.identity)
      const { id } = await knownById(context, request, 'delete')
      await propose(context, request, { kind: 'intention-delete', id })
      return sendJson(request, reply, true)
    },
  }),
]

/** The handler of a read. */
function answers(
  questionOf: (context: ApiContext, request: Asked) => Question<IntentionReader>,
): Handle<ApiContext> {
  return (context, request, reply) =>
    reads(() => questionOf(context, request))(context, request, reply)
}

function rightsOf(context: ApiContext, request: Asked) {
  return context.callerOf(request).rights
}

/** Throws `permission-denied`. Rules about the destination decide, as in Consul. */
function mayWrite(context: ApiContext, request: Asked, intention: IntentionDefinition): void {
  mustAllow(context.requesterNow(request), needOf('write', intention.destination))
}

/** From the newest state, so that rights to what another server has just written are asked for. */
async function knownOf(
  context: ApiContext,
  find: (reader: IntentionReader) => Intention | undefined,
): Promise<Intention | undefined> {
  await reach(context, 'leader')
  return context.families.of(intentionFamily).read(find)
}

/** An intention that the requester may change. Throws `intention-not-there` and `permission-denied`. */
async function knownById(context: ApiContext, request: Asked, verb: string): Promise<Intention> {
  const { params: id } = request
  if (!isUuid(id)) throw svcdError('intention-bad-id', { id: JSON.stringify(id) })
  const known = await knownOf(context, (reader) => reader.intention(id))
  if (known === undefined) throw svcdError('intention-not-there', { verb, id })
  mayWrite(context, request, known)
  return known
}

const causeLengthMax = 100

async function propose(
  { writes }: ApiContext,
  request: Asked,
  body: IntentionCommand,
): Promise<void> {
  const cause = `${body.kind} ${body.id}`.slice(0, causeLengthMax)
  const outcome = await writes.propose(body, originOf(request, cause))
  if (outcome.ok && outcome.value !== undefined) {
    throw refusalError(outcome.value as IntentionRefusal, body)
  }
}

function refusalError(refusal: IntentionRefusal, body: IntentionCommand): Error {
  if (refusal !== 'taken-pair' || body.kind === 'intention-delete') {
    const verb = body.kind === 'intention-put' ? 'modify' : 'delete'
    return svcdError('intention-not-there', { verb, id: body.id })
  }
  const { source, destination } = body.intention
  return svcdError('intention-taken', {
    source: shownName(source),
    destination: shownName(destination),
  })
}

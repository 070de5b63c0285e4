import type { FastifyReply } from 'fastify'
import { Viewer } from '../../../access/viewer.ts'
import { must } from '../../../base/assert.ts'
import { SvcdError, svcdError } from '../../../base/errors.ts'
import { decodeBody } from '../../../definition/decode.ts'
import { txnOperations } from '../../../definition/txn-operations.ts'
import type { AskedOps, OpFault } from '../../../definition/txn-operations.ts'
import { parseTxn, txnShape } from '../../../definition/txn-shapes.ts'
import type { TxnOpBody } from '../../../definition/txn-shapes.ts'
import { isRead, opsMax } from '../../../state/txn/commands.ts'
import type { TxnOp } from '../../../state/txn/commands.ts'
import { txnFamily } from '../../../state/txn/family.ts'
import { txnValue } from '../../../state/txn/outcome.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { writeAnswer } from '../../../http/answer.ts'
import type { Answer } from '../../../http/answer.ts'
import type { BodyReader } from '../../../http/body.ts'
import { addReadHeaders, reach } from '../../../http/consistency.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { originOf } from '../../../http/origin.ts'
import { readOptions } from '../../../http/parameters.ts'
import type { Consistency } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { isPretty, sendBody } from '../../../http/reply.ts'
import { tellFiltered } from '../../../http/requesters.ts'
import { checkRow, nodeRow, nodeServiceRow } from '../../../http/row-schemas.ts'
import { list, object, orNull, text, whole } from '../../../http/schemas.ts'
import { overServerFault } from '../catalog/over-server.ts'
import { entrySchema } from '../kv/entry-row.ts'
import { lockDelayLeftMs } from '../kv/lock-delay.ts'
import { failureOf } from './failures.ts'
import { readTransaction, txnAnswer } from './reading.ts'
import { hiddenAsMissing, rightsFaults, seenResult } from './rights.ts'
import { rowsOfResult } from './rows.ts'

/** Consul's txn_max_req_len. */
const bodyBytesMax = 512 * 1024
const causeLengthMax = 100

const reader = txnShape(opsMax)

const body: BodyReader<readonly TxnOpBody[]> = {
  schema: reader.schema ?? {},
  bytesMax: bodyBytesMax,
  read(raw) {
    try {
      return decodeBody(raw, reader, parseTxn)
    } catch (error) {
      if (!(error instanceof SvcdError) || error.row.http !== 400) throw error
      const reason = error.message.replace(/^Request decode failed: /, '')
      throw svcdError('txn-unreadable', { reason }, error)
    }
  },
}

const result = object(
  { KV: entrySchema, Node: nodeRow, Service: nodeServiceRow, Check: checkRow },
  'KV Node Service Check',
)
const answer = object(
  {
    Results: orNull(list(result)),
    Errors: orNull(list(object({ OpIndex: whole, What: text }))),
    Index: whole,
    LastContact: whole,
    KnownLeader: { type: 'boolean' },
    ConsistencyLevel: text,
  },
  'Index LastContact KnownLeader ConsistencyLevel',
)

/** txn: several operations at one moment. */
export const txnEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'PUT',
    path: '/v1/txn',
    // All that its operations may need. Reads alone need less.
    permission: {
      handlerChecks: [
        { resource: 'key', access: 'write' },
        { resource: 'node', access: 'write' },
        { resource: 'service', access: 'write' },
      ],
    },
    summary: 'Do several operations on keys, nodes, services and checks, or none of them',
    query: { ...query.consistency, ...query.pretty },
    body,
    answer,
    errors: [413, 503],
    alsoAnswers: [409],
    async handle(context, request, reply) {
      const { identity } = context
      const { consistency } = readOptions(request.query, identity)
      const operations = txnOperations(request.body, identity.datacenter)
      if (operations.isReadOnly) {
        return answerRead(context, request, reply, operations, consistency)
      }
      const asked = hiddenAsMissing(operations, context.callerOf(request).rights)
      const denied = rightsFaults(context, request, asked)
      // Who may not lock a key does not learn of its lock-delay either.
      const delays = denied.length > 0 ? [] : await delayFaults(context, asked)
      const faults = [...asked.faults, ...denied, ...serverFaults(context, asked), ...delays]
      if (faults.length > 0) {
        return send(request, reply, txnAnswer({ faults: inOrder(faults) }), false)
      }
      return write(context, request, reply, asked)
    },
  }),
]

function inOrder(faults: readonly OpFault[]): readonly OpFault[] {
  return faults.toSorted((a, b) => a.op - b.op)
}

/** Only a server of the cluster may register its own entry. */
function serverFaults(context: ApiContext, { ops, places }: AskedOps): readonly OpFault[] {
  return ops.flatMap((op, at) => {
    if (op.verb !== 'set-service') return []
    const fault = overServerFault(context, op.node, op.definition.id)
    return fault === undefined ? [] : { op: must(places[at]), what: fault.message }
  })
}

/** A lock within its lock-delay is refused without the log. */
async function delayFaults(
  context: ApiContext,
  { ops, places }: AskedOps,
): Promise<readonly OpFault[]> {
  const faults: OpFault[] = []
  for (const [at, op] of ops.entries()) {
    if (op.verb !== 'lock' || (await lockDelayLeftMs(context, op.key)) === 0) continue
    faults.push({ op: must(places[at]), what: failureOf(op, { why: 'lock-delay' }).message })
  }
  return faults
}

/** Answered by this server, without the log. */
async function answerRead(
  context: ApiContext,
  request: Asked,
  reply: FastifyReply,
  operations: AskedOps,
  consistency: Consistency,
): Promise<FastifyReply> {
  const { freshness, identity, families } = context
  await reach(context, consistency)
  const viewer = new Viewer(context.requesterNow(request).caller)
  const asked = hiddenAsMissing(operations, viewer.caller.rights)
  const { ops, places } = asked
  const faults = inOrder([...asked.faults, ...rightsFaults(context, request, asked)])
  const isStale = consistency === 'stale'
  // As Consul fills them in; the headers tell more.
  const meta = [
    ['Index', 0],
    ['LastContact', isStale ? freshness.lastContactMs() * 1e6 : 0],
    ['KnownLeader', !isStale || freshness.leader() !== ''],
    ['ConsistencyLevel', ''],
  ] as const
  if (faults.length > 0) return send(request, reply, txnAnswer({ faults }, meta), false)
  const { isDone, body, index } = await readTransaction(families.of(txnFamily), {
    ops: ops.filter(isRead),
    places,
    datacenter: identity.datacenter,
    pretty: isPretty(request),
    meta,
    viewer,
  })
  if (viewer.hasHidden) tellFiltered(request, reply)
  addReadHeaders(reply, freshness, consistency, index)
  return sendBody(request, reply.code(isDone ? 200 : 409).type('application/json'), body)
}

async function write(
  context: ApiContext,
  request: Asked,
  reply: FastifyReply,
  { ops, places }: AskedOps,
): Promise<FastifyReply> {
  const { writes, identity } = context
  const outcome = await writes.propose({ kind: 'txn', ops }, originOf(request, causeOf(ops)))
  const { index } = outcome
  if (!outcome.ok) throw svcdError('internal', {})
  if (outcome.isForgotten === true) throw svcdError('txn-results-forgotten', { index })
  const value = txnValue(outcome.value, ops.length)
  if ('failures' in value) {
    const faults = value.failures.map(({ op: at, ...reason }) => {
      const what = failureOf(must(ops[at]), reason).message
      return { op: must(places[at]), what }
    })
    return send(request, reply, txnAnswer({ faults }), false)
  }
  const { datacenter } = identity
  const viewer = new Viewer(context.callerOf(request))
  const rows = value.results.flatMap((result, at) => {
    const op = must(ops[at])
    const seen = seenResult(viewer, op, result)
    return seen === undefined ? [] : rowsOfResult(op, seen, { index, datacenter })
  })
  if (viewer.hasHidden) tellFiltered(request, reply)
  return send(request, reply, txnAnswer({ rows }), true)
}

function causeOf(ops: readonly TxnOp[]): string {
  const [first] = ops
  const what = first === undefined ? '' : 'key' in first ? first.key : ''
  const cause = `txn ${first?.verb ?? ''} ${what}`.trimEnd().slice(0, causeLengthMax)
  return ops.length > 1 ? `${cause} and ${ops.length - 1} more` : cause
}

function send(
  request: Asked,
  reply: FastifyReply,
  answer: Answer,
  isDone: boolean,
): FastifyReply | Promise<FastifyReply> {
  const writing = writeAnswer(answer, isPretty(request))
  for (;;) {
    const next = writing.next()
    if (next.done !== true) continue
    return sendBody(request, reply.code(isDone ? 200 : 409).type('application/json'), next.value)
  }
}

import type { Viewer } from '../../../access/viewer.ts'
import { must } from '../../../base/assert.ts'
import type { AskedOps, OpFault } from '../../../definition/txn-operations.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import type { KvEntry } from '../../../state/kv/reader.ts'
import type { ReadOp } from '../../../state/txn/commands.ts'
import type { TxnReader } from '../../../state/txn/reader.ts'
import { writeAnswer } from '../../../http/answer.ts'
import type { Answer } from '../../../http/answer.ts'
import { writeIfShort } from '../../../http/sliced-answer.ts'
import { rowBytes } from '../kv/entry-row.ts'
import { failureOf } from './failures.ts'
import { checkRow, emptyKeyRow, keyRow, nodeRow, serviceRow } from './rows.ts'

/** A transaction that only reads. */
export interface Reading {
  readonly ops: readonly ReadOp[]
  readonly places: AskedOps['places']
  readonly datacenter: string
  readonly pretty: boolean
  readonly viewer: Viewer
  /** Begins a long answer; returns what ends it. Throws `too-many-long-answers`. */
  readonly beginLong: () => () => void
  /** What the answer says behind `Results` and `Errors`. */
  readonly meta: readonly (readonly [name: string, value: unknown])[]
}

export interface ReadAnswer {
  readonly isDone: boolean
  /** JSON. */
  readonly body: Buffer
  /** The last entry of the log that it has seen. */
  readonly index: number
}

/** Answers a transaction from one moment of the state; a long answer is made in slices. */
export async function readTransaction(
  state: FamilyReads<TxnReader>,
  reading: Reading,
): Promise<ReadAnswer> {
  const short = state.read((reader) => {
    const { answer, ...rest } = answerOf(reading, reader)
    const body = writeIfShort(answer, reading.pretty)
    return body === undefined ? undefined : { ...rest, body }
  })
  if (short !== undefined) return short
  const end = reading.beginLong()
  try {
    return await state.readSliced((reader) => steps(reading, reader))
  } finally {
    end()
  }
}

function* steps(reading: Reading, reader: TxnReader): Generator<void, ReadAnswer> {
  const { answer, ...rest } = answerOf(reading, reader)
  return { ...rest, body: yield* writeAnswer(answer, reading.pretty) }
}

function answerOf(
  reading: Reading,
  reader: TxnReader,
): Omit<ReadAnswer, 'body'> & { answer: Answer } {
  const faults = faultsOf(reading, reader)
  const isDone = faults.length === 0
  const index = reader.kv.appliedIndex()
  const answer = isDone
    ? txnAnswer({ rows: rowsOf(reading, reader) }, reading.meta)
    : txnAnswer({ faults }, reading.meta)
  return { isDone, index, answer }
}

/** Consul's TxnResponse. `meta`: further fields. */
export function txnAnswer(
  outcome:
    { readonly rows: Iterable<object | undefined> } | { readonly faults: readonly OpFault[] },
  meta: readonly (readonly [name: string, value: unknown])[] = [],
): Answer {
  const nothing: Answer = { kind: 'value', value: null }
  const [results, errors] =
    'rows' in outcome
      ? [{ kind: 'list', rows: outcome.rows } as const, nothing]
      : [nothing, { kind: 'value', value: outcome.faults.map(errorJson) } as const]
  return {
    kind: 'object',
    fields: [
      ['Results', results],
      ['Errors', errors],
      ...meta.map(([name, value]) => [name, { kind: 'value', value }] as const),
    ],
  }
}

function errorJson({ op, what }: OpFault): object {
  return { OpIndex: op, What: what }
}

function faultsOf({ ops, places }: Reading, reader: TxnReader): readonly OpFault[] {
  return ops.flatMap((op, at) => {
    const found = reader.find(op)
    if (found.of !== 'nothing') return []
    return { op: must(places[at]), what: failureOf(op, found.reason).message }
  })
}

function* rowsOf(
  { ops, datacenter, viewer }: Reading,
  reader: TxnReader,
): Generator<object | undefined, void> {
  for (const op of ops) {
    const found = reader.find(op)
    switch (found.of) {
      case 'key':
        if (!viewer.sees('key', found.entry.key)) break
        if (op.verb === 'check-index' || op.verb === 'check-session') {
          yield keyRow({ ...found.entry, value: '' })
        } else yield* entryRows(found.entry)
        break
      case 'no-key':
        if (op.verb === 'get-or-empty' && viewer.sees('key', op.key)) yield emptyKeyRow(op.key)
        break
      case 'tree':
        for (const entry of found.entries) {
          if (viewer.sees('key', entry.key)) yield* entryRows(entry)
          else yield undefined
        }
        break
      case 'node':
        if (viewer.sees('node', found.node.name)) yield nodeRow(found.node, datacenter)
        break
      case 'service':
        if (viewer.seesInstance(found.service.node, found.service.name)) {
          yield serviceRow(found.service)
        }
        break
      case 'check':
        if (viewer.seesCheck(found.check.node, found.check.serviceName)) {
          yield checkRow(found.check)
        }
        break
      case 'nothing':
        break
    }
  }
}

/** A large value counts as many rows, so that others get their turn after a few of them. */
function* entryRows(entry: KvEntry): Generator<object | undefined, void> {
  const { buffer, byteOffset, length } = entry.value
  yield keyRow({ ...entry, value: Buffer.from(buffer, byteOffset, length).toString('base64') })
  for (let bytes = rowBytes; bytes < length; bytes += rowBytes) yield undefined
}

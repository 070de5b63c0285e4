import type { Database } from 'better-sqlite3'
import { openChange } from '../catalog/change.ts'
import type { KvEntry } from '../kv/reader.ts'
import { KvStore } from '../kv/store.ts'
import type { EntryRow } from '../kv/tables.ts'
import type { Change } from '../machine/change.ts'
import type { Outcome } from '../machine/command.ts'
import type { Applier } from '../machine/family.ts'
import { SessionStore } from '../session/store.ts'
import { writeCatalog } from './catalog.ts'
import type { CatalogParts } from './catalog.ts'
import { isRead } from './commands.ts'
import type { ReadOp, TxnCommand, TxnOp } from './commands.ts'
import { writeKey } from './keys.ts'
import type { KeyStores } from './keys.ts'
import { done, failed, packWritten, readCharsMax } from './outcome.ts'
import type { Checked, Failure, Reason, Result, Stored } from './outcome.ts'
import { TxnReader } from './reader.ts'

/** What the operations are done with; one for a connection. */
interface Parts {
  readonly gate: Change
  readonly reader: TxnReader
  readonly keys: KeyStores
  readonly catalog: CatalogParts
}

export function openTxn(db: Database, gate: Change): Applier<TxnCommand> {
  const kv = new KvStore(db, gate.of('kv'))
  const reader = new TxnReader(db)
  const parts: Parts = {
    gate,
    reader,
    keys: { kv, sessions: new SessionStore(db, gate.of('session'), kv) },
    catalog: { change: openChange(db, gate.of('catalog')), reader: reader.catalog },
  }
  return { apply: (body) => apply(body, parts) }
}

/**
 * Does all operations or none. As in Consul, those behind one that fails are tried as well, so that its client
 * learns of all faults.
 */
function apply({ ops }: TxnCommand, parts: Parts): Outcome {
  const { gate } = parts
  const run = new Run(parts)
  if (ops.some(mayFail)) gate.attempt(() => run.all(ops))
  else run.all(ops)
  const { index } = gate
  const value = run.failures.length > 0 ? failed(run.failures) : done(run.results)
  return value === undefined ? { ok: true, index } : { ok: true, index, value }
}

/** The others are done whatever there is, which spares the preparations for taking them back. */
function mayFail(op: TxnOp): boolean {
  return !(op.verb === 'delete-tree' || (isUnconditional(op) && op.index === undefined))
}

function isUnconditional(op: TxnOp): op is Extract<TxnOp, { readonly verb: 'set' | 'delete' }> {
  return op.verb === 'set' || op.verb === 'delete'
}

/** One transaction. */
class Run {
  readonly failures: Failure[] = []
  readonly results: Result[] = []
  readonly #parts: Parts
  /** Of the results that were read. */
  #chars = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Whether no operation has failed. */
  all(ops: readonly TxnOp[]): boolean {
    for (const [at, op] of ops.entries()) {
      const result = this.#do(op)
      if (isReason(result)) this.failures.push({ op: at, ...result })
      else this.results.push(result)
    }
    return this.failures.length === 0
  }

  #do(op: TxnOp): Result | Reason {
    if (isRead(op)) return this.#read(op)
    const { gate, keys, catalog } = this.#parts
    if (!('key' in op)) return writeCatalog(op, catalog)
    const written = writeKey(op, keys)
    return isRow(written) ? packWritten(written, gate.index) : written
  }

  #read(op: ReadOp): Result | Reason {
    const found = this.#parts.reader.find(op)
    switch (found.of) {
      case 'nothing':
        return found.reason
      case 'no-key':
        return null
      case 'key':
        if (op.verb === 'check-index' || op.verb === 'check-session') return checked(found.entry)
        return this.#counted(stored(found.entry))
      case 'tree':
        return this.#tree(found.entries)
      case 'node':
        return this.#counted(found.node)
      case 'service':
        return this.#counted(found.service)
      case 'check':
        return this.#counted(found.check)
    }
  }

  #tree(entries: Generator<KvEntry, void>): Result | Reason {
    const all: (readonly [string, ...Stored])[] = []
    for (const entry of entries) {
      const counted = this.#counted([entry.key, ...stored(entry)] as const)
      if (isReason(counted)) return counted
      all.push(counted)
    }
    return all
  }

  #counted<T extends object>(result: T): T | Reason {
    this.#chars += JSON.stringify(result).length
    return this.#chars > readCharsMax ? { why: 'too-large' } : result
  }
}

function isReason(result: Result | Reason | object): result is Reason {
  return typeof result === 'object' && result !== null && 'why' in result
}

function isRow(written: EntryRow | null | Reason): written is EntryRow {
  return written !== null && 'modify_index' in written
}

function checked({ flags, lockIndex, session, createIndex, modifyIndex }: KvEntry): Checked {
  return [flags, lockIndex, session, createIndex, modifyIndex]
}

function stored(entry: KvEntry): Stored {
  const { buffer, byteOffset, length } = entry.value
  return [...checked(entry), Buffer.from(buffer, byteOffset, length).toString('base64')]
}

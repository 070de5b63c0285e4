import type { Database } from 'better-sqlite3'
import { anonymous } from '../../../src/access/caller.ts'
import { must } from '../../../src/base/assert.ts'
import { Renderer } from '../../../src/http/renderer.ts'
import type { Indexed, Question } from '../../../src/http/renderer.ts'
import { Rendered } from '../../../src/http/render-cache.ts'
import type { Families, FamilyReads } from '../../../src/ports/reads.ts'
import { CatalogStateMachine } from '../../../src/replica/catalog-state-machine.ts'
import type { Entry, Index } from '../../../src/raft/entry.ts'
import type { SnapshotMeta } from '../../../src/raft/storage.ts'
import { defineAddressKeys } from '../../../src/state/catalog/schema.ts'
import {
  families,
  openMachine,
  openVersions,
  stateMigrations,
  stateTables,
} from '../../../src/state/families.ts'
import { Machine } from '../../../src/state/machine/apply.ts'
import type {
  AppliedFamily,
  BatchResult,
  CommittedCommand,
} from '../../../src/state/machine/apply.ts'
import type { Outcome } from '../../../src/state/machine/command.ts'
import type { ReadableFamily } from '../../../src/state/machine/family.ts'
import { sessionFamily } from '../../../src/state/session/family.ts'
import { initializeSums, scanSums, tablesText } from '../../../src/state/machine/sums.ts'
import type { Versions } from '../../../src/state/machine/versions.ts'
import type { StateWriter } from '../../../src/storage/state.ts'
import { registerNode } from '../../helpers/sessions.ts'
import { Sqlite } from '../../helpers/sqlite.ts'
import { check } from '../ledger.ts'
import type { Image, MachineEvents, NodeMachine, Shown } from '../node-machine.ts'

/** A database as bytes. */
interface StoreImage extends Image {
  readonly chain: number
  readonly sums: string
  /** Of a checkpoint that nothing can go back to, there are none. */
  readonly bytes: Buffer
}

/** What a defect does to the state machine of a server. */
export interface StoreDefect {
  /** In place of a family as the product has it. */
  readonly family?: (family: AppliedFamily) => AppliedFamily
  /** Around the applying of a batch; one for each connection. */
  readonly batch?: () => (batch: BatchOf, apply: (batch: BatchOf) => BatchResult) => BatchResult
}

type BatchOf = readonly CommittedCommand[]

export interface StoreMachineOptions {
  readonly checkpointEvery: number
  readonly faults: ReadonlySet<string>
}

function nobodyWaits(): never {
  throw new Error('no client of a run waits for a change')
}

export const sessionNode = 'n1'
export const sessionCheck = 'c1'

let empty: Buffer | undefined

/** The state of the product before its first entry. */
function emptyBytes(): Buffer {
  if (empty !== undefined) return empty
  const db = new Sqlite(':memory:')
  defineAddressKeys(db)
  for (const migration of stateMigrations) db.exec(migration)
  initializeSums(db, stateTables)
  // Sessions belong to a node, and may depend on its checks.
  const body = registerNode(sessionNode, { [sessionCheck]: 'passing' })
  const origin = { version: 1, requestId: 'r0', actor: 'sim', cause: 'sim', timeMs: 0 } as const
  openMachine(db).applyBatch([{ index: 0, term: 0, command: { ...origin, body } }])
  empty = db.serialize()
  db.close()
  return empty
}

/**
 * The product's state machine with all of its families, over databases in memory. What a process has
 * opened (the connection, the versions, the answers that it keeps) goes with it.
 */
export class StoreMachine implements NodeMachine, Families {
  readonly files = new Map<Index, StoreImage>()
  readonly #events: MachineEvents
  readonly #options: StoreMachineOptions
  readonly #defect: StoreDefect
  #db!: Database
  #machine!: Machine
  #apply!: (batch: BatchOf) => BatchResult
  #versions!: Versions
  #driven!: CatalogStateMachine
  #renderer!: Renderer
  /** As the replica thread reads them, over the connection that there is. */
  readonly sessions: NonNullable<NodeMachine['sessions']> = {
    session: (id) => this.#readerOf(sessionFamily).session(id),
    has: (id) => this.#readerOf(sessionFamily).has(id),
    lockDelay: (key) => this.#readerOf(sessionFamily).lockDelay(key),
    timedAfter: (index) => this.#readerOf(sessionFamily).timedAfter(index),
    lockDelaysAfter: (index) => this.#readerOf(sessionFamily).lockDelaysAfter(index),
    appliedIndex: () => this.appliedIndex(),
  }
  readonly #readers = new Map<string, unknown>()
  readonly #reads = new Map<string, FamilyReads<unknown>>()
  #chain = 0
  #checkpoint: StoreImage
  /** What the next process begins with; undefined: with what the last one has left open. */
  #next: StoreImage | undefined
  #entries: readonly Entry[] = []
  #restoring: SnapshotMeta | undefined

  constructor(events: MachineEvents, options: StoreMachineOptions, defect: StoreDefect = {}) {
    this.#events = events
    this.#options = options
    this.#defect = defect
    this.#checkpoint = { index: 0, chain: 0, sums: '', bytes: emptyBytes() }
    this.#next = this.#checkpoint
  }

  get checkpointIndex(): Index {
    return this.#checkpoint.index
  }

  appliedIndex(): Index {
    return this.#next?.index ?? this.#machine.appliedIndex
  }

  start(): void {
    this.#open(this.#next ?? this.copy())
    this.#next = undefined
    this.#begin()
  }

  apply(entries: readonly Entry[]): void {
    this.#entries = entries
    this.#driven.apply(entries)
    if (this.appliedIndex() - this.#checkpoint.index < this.#options.checkpointEvery) return
    const losesPower = this.#options.faults.has('power-loss')
    this.#checkpoint = losesPower
      ? this.copy()
      : { ...this.#checkpoint, index: this.appliedIndex() }
  }

  restore(snapshot: SnapshotMeta): void {
    this.#restoring = snapshot
    this.#driven.restore(snapshot)
  }

  copy(): StoreImage {
    const { index, text } = this.#machine.sums.now
    return { index, chain: this.#chain, sums: text, bytes: this.#db.serialize() }
  }

  shown({ index, chain, sums }: StoreImage): Shown {
    return { index, chain, digest: () => hashText(sums) }
  }

  losePower(): void {
    this.#next = this.#checkpoint
  }

  /** The answer of the API to a question, as of now. */
  answer<R extends Indexed>(name: string, question: Question<R>): Rendered {
    const render = this.#renderer.of({ caller: anonymous, key: name, pretty: false, question })
    const rendered = render(question.state.version(), 0)
    check(rendered instanceof Rendered, `the answer to ${name} is short`)
    return rendered
  }

  of<R>(family: ReadableFamily<R>): FamilyReads<R> {
    const known = this.#reads.get(family.name) as FamilyReads<R> | undefined
    if (known !== undefined) return known
    const reads: FamilyReads<R> = {
      read: (query) => query(this.#readerOf(family)),
      readSliced: () => Promise.reject(new Error('no answer is that long here')),
      version: () => this.#versions.of(family.name).applied,
      unchanged: () => () => false,
      waitForChange: nobodyWaits,
    }
    this.#reads.set(family.name, reads)
    return reads
  }

  #readerOf<R>({ name, reader }: ReadableFamily<R>): R {
    const known = this.#readers.get(name) as R | undefined
    if (known !== undefined) return known
    const made = reader(this.#db)
    this.#readers.set(name, made)
    return made
  }

  /** Goes on with a copy of an image. */
  #open({ bytes, chain }: StoreImage): void {
    const db = new Sqlite(bytes)
    defineAddressKeys(db)
    const { family = (one: AppliedFamily) => one, batch } = this.#defect
    const machine = new Machine(
      db,
      families.map((one) => family(one as AppliedFamily)),
    )
    const around = batch?.()
    const apply = (entries: BatchOf): BatchResult => machine.applyBatch(entries)
    this.#apply = around === undefined ? apply : (entries) => around(entries, apply)
    if (this.#machine !== undefined) this.#db.close()
    this.#db = db
    this.#machine = machine
    this.#chain = chain
    this.#readers.clear()
  }

  /** What a process begins with. */
  #begin(): void {
    const applied = (): Index => this.appliedIndex()
    const state: Pick<StateWriter, 'appliedIndex' | 'applyBatch' | 'restore'> = {
      get appliedIndex() {
        return applied()
      },
      applyBatch: (batch) => this.#applyBatch(batch),
      restore: (_path, { index }) => this.#become(must(this.files.get(index), 'the file is there')),
    }
    this.#versions = openVersions()
    this.#renderer = new Renderer()
    this.#reads.clear()
    this.#driven = new CatalogStateMachine({
      state: state as StateWriter,
      versions: this.#versions,
      snapshotPath: ({ index }) => String(index),
      onApplied: (index, _term, outcome) => {
        const entry = must(this.#entries[index - must(this.#entries[0]).index])
        this.#events.onApplied(entry, outcome)
      },
      onSessions: () => this.#events.onSessions(),
      onRestored: (index) => {
        const image = must(this.files.get(index))
        this.#events.onRestored(this.shown(image), { ...must(this.#restoring), index })
      },
    })
  }

  #applyBatch(batch: BatchOf): BatchResult {
    const result = this.#apply(batch)
    const { text } = this.#machine.sums.now
    const last = this.#entries.length - 1
    for (const [at, entry] of this.#entries.entries()) {
      const outcome = result.outcomes[at]
      this.#chain = chained(this.#chain, entry, outcome)
      const digest = (): number | undefined => (at === last ? hashText(text) : undefined)
      const shown = { index: entry.index, chain: this.#chain, digest }
      const requestId = batch[at]?.command?.requestId
      const done = outcome && requestId !== undefined ? { requestId, outcome } : undefined
      this.#events.onEntry(entry, shown, done)
    }
    return result
  }

  /** All that a snapshot tells of its rows is true. */
  #become(image: StoreImage): void {
    this.#open(image)
    this.#checkpoint = image
    const found = tablesText(scanSums(this.#db, stateTables))
    check(found === image.sums, `the rows of the snapshot at ${image.index} add up to its sums`)
  }
}

function chained(chain: number, { index, term }: Entry, outcome: Outcome | undefined): number {
  const next = Math.imul(chain, 31) + index * 7 + term
  return (outcome === undefined ? next : next + hashText(JSON.stringify(outcome))) >>> 0
}

function hashText(text: string): number {
  let hash = 7
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return hash
}

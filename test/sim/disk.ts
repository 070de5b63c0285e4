import { must } from '../../src/base/assert.ts'
import type { LogWrite } from '../../src/raft/storage.ts'
import { MemoryStore } from '../helpers/memory-store.ts'

/** What a disk refuses. It ends the process, never the simulation. */
export class DiskError extends Error {
  override name = 'DiskError'
}

/** The surroundings of one disk. */
export interface DiskWorld {
  readonly mode: 'instant' | 'blocking' | 'async'
  latencyMs(): number
  /** Calls back later, unless the process has died since. */
  later(delayMs: number, run: () => void): void
  onCommit(before: MemoryStore, write: LogWrite): void
}

/** What becomes of a write that was under way when the process died. */
export type Fate = 'lost' | 'kept' | 'torn'

/** The log store of one server: what is in the base class is synced. */
export class SimDisk extends MemoryStore {
  readonly #world: DiskWorld
  #pending: LogWrite | undefined
  /** The write under way will end with an error. */
  #isFailing = false
  /** Set by the nemesis, for the next write. */
  stallMs = 0
  nextError: 'EIO' | 'ENOSPC' | undefined
  /** Beside the log, as RaftLog keeps it: synced with each change. */
  readonly #meta = new Map<string, string>()

  constructor(world: DiskWorld) {
    super()
    this.#world = world
  }

  get isBusy(): boolean {
    return this.#pending !== undefined
  }

  meta(key: string): string | undefined {
    return this.#meta.get(key)
  }

  setMeta(key: string, value: string): void {
    this.#meta.set(key, value)
  }

  override write(write: LogWrite, done: () => void): void {
    if (this.nextError === 'ENOSPC') throw new DiskError('ENOSPC')
    this.#pending = write
    this.#isFailing = this.nextError === 'EIO'
    const end = () => {
      if (this.#isFailing) throw new DiskError('EIO')
      this.#finish()
      done()
    }
    const delayMs = this.#world.latencyMs() + this.stallMs
    const isInstant = this.#world.mode === 'instant' && this.stallMs === 0
    this.stallMs = 0
    if (isInstant) end()
    else this.#world.later(delayMs, end)
  }

  /** Nothing fails or stalls any more, the write that is under way included. */
  heal(): void {
    this.#isFailing = false
    this.nextError = undefined
    this.stallMs = 0
  }

  /** The process ends; `fate` decides about what was not yet synced. */
  crash(fate: Fate, kept: (count: number) => number): void {
    const pending = this.#pending
    this.#pending = undefined
    this.heal()
    if (pending === undefined || fate === 'lost') return
    if (fate === 'torn' && pending.snapshot === undefined) this.#tear(pending, kept)
    else {
      this.#world.onCommit(this, pending)
      this.commitWrite(pending)
    }
  }

  /** The beginning of the write is there, up to some entry; the hard state, written last, is not. */
  #tear(write: LogWrite, kept: (count: number) => number): void {
    const entries = write.entries.slice(0, kept(write.entries.length))
    this.commitWrite({ ...write, hardState: this.hardState, entries })
  }

  #finish(): void {
    const write = must(this.#pending, 'a write is under way')
    this.#world.onCommit(this, write)
    this.commitWrite(write)
    this.#pending = undefined
  }
}

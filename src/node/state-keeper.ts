import { join } from 'node:path'
import { reasonOf, SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { RaftLog } from '../storage/raft-log.ts'
import { inSnapshotThread } from '../storage/snapshot-worker.ts'
import type { SnapshotFile } from '../storage/snapshot-file.ts'
import { StateWriter } from '../storage/state.ts'
import type { Standstill } from './standstill.ts'
import { buildState, removeState, replaceState } from './state-rebuild.ts'

export interface StateKeeperParts {
  readonly dataDirectory: string
  readonly log: RaftLog
  readonly logger: Logger
  /** The newest first. */
  readonly snapshots: () => readonly SnapshotFile[]
  /** While the state is rebuilt nothing may be answered, proposed or applied. */
  readonly standstill: Standstill
  readonly guard: (work: () => void) => void
  readonly checkEveryMs: number
}

/** In raft.db: what is wrong with state.db, for a start after an end in between. */
const damageKey = 'stateDamage'

/**
 * Watches over state.db: opens it, or rebuilds it when it is damaged; has all of it compared with its
 * sums right after the start and then regularly; and rebuilds it under its readers when that finds
 * damage. What it is rebuilt from are the server's own log and snapshots.
 */
export class StateKeeper {
  readonly state: StateWriter
  readonly #parts: StateKeeperParts
  readonly #path: string
  readonly #rebuilt: string
  #damage: string | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  #found = 0

  /** Throws SvcdError `state-lost` and what StateWriter throws. */
  constructor(parts: StateKeeperParts) {
    this.#parts = parts
    this.#path = join(parts.dataDirectory, 'state.db')
    this.#rebuilt = join(parts.dataDirectory, 'state.rebuilt.tmp')
    removeState(this.#rebuilt)
    this.state = this.#open()
  }

  /** What is wrong with the state at the moment; undefined: nothing that is known. */
  get damage(): string | undefined {
    return this.#damage
  }

  /** How many times damage was found since the start. */
  get damagesFound(): number {
    return this.#found
  }

  /** The first check begins now. */
  start(): void {
    void this.#checkAndGoOn()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Compares every row and index with the sums, in a thread of low priority; rebuilds what is damaged. */
  async check(): Promise<void> {
    try {
      await inSnapshotThread({ kind: 'verify', statePath: this.#path })
    } catch (error) {
      if (this.#isStopped) return
      if (error instanceof SvcdError && error.code === 'state-damaged') {
        await this.onDamage(error.message)
        return
      }
      this.#parts.logger.warn({ reason: reasonOf(error) }, 'state.db could not be checked')
    }
  }

  /** Stops serving, rebuilds, and goes on. Ends the process when it cannot. */
  async onDamage(reason: string): Promise<void> {
    if (this.#damage !== undefined || this.#isStopped) return
    this.#damage = reason
    this.#note(reason)
    const { standstill, logger, log, snapshots, guard } = this.#parts
    try {
      await standstill.begin()
      if (this.#isStopped) return
      const { appliedIndex } = this.state
      const lost = { file: this.#path, reason }
      buildState(this.#rebuilt, appliedIndex, { log, snapshots: snapshots() }, lost)
      await this.state.replaceBy(this.#rebuilt)
      removeState(this.#rebuilt)
      log.setMeta(damageKey, '')
      this.#damage = undefined
      logger.warn({ index: appliedIndex }, 'state.db was rebuilt, and this server answers again')
      standstill.end()
    } catch (error) {
      // The next start tries it from nothing, and says what to do when that fails, too.
      guard(() => {
        throw error
      })
    }
  }

  async #checkAndGoOn(): Promise<void> {
    await this.check()
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.#checkAndGoOn(), this.#parts.checkEveryMs)
  }

  #open(): StateWriter {
    const { log, snapshots, logger } = this.#parts
    let reason = log.meta(damageKey) ?? ''
    if (reason === '') {
      try {
        return new StateWriter(this.#path)
      } catch (error) {
        if (!(error instanceof SvcdError) || error.code !== 'data-corrupt') throw error
        reason = error.message
      }
    }
    this.#note(reason)
    const { base, hardState } = log.state()
    const to = Math.max(base.index, hardState.commit)
    const lost = { file: this.#path, reason }
    buildState(this.#rebuilt, to, { log, snapshots: snapshots() }, lost)
    replaceState(this.#path, this.#rebuilt)
    const state = new StateWriter(this.#path)
    log.setMeta(damageKey, '')
    logger.warn({ index: to }, 'state.db was rebuilt')
    return state
  }

  #note(reason: string): void {
    const { log, logger } = this.#parts
    this.#found++
    log.setMeta(damageKey, reason)
    logger.error(
      { file: this.#path, reason },
      'state.db is damaged: this server stops answering and rebuilds it from its log and snapshots. Look at the disk and the memory of this machine.',
    )
  }
}

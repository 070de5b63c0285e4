import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf, SvcdError, svcdError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { PlacedSums } from '../../state/machine/apply.ts'
import { stateVersion } from '../../state/families.ts'
import type { RaftLog } from '../../storage/log/raft-log.ts'
import { inSnapshotThread } from '../../storage/snapshot/worker.ts'
import type { SnapshotFile } from '../../storage/snapshot/file.ts'
import { StateWriter } from '../../storage/state.ts'
import type { StateReport } from '../duties/comparison.ts'
import type { Standstill } from './standstill.ts'
import type { StateFetch } from './fetch.ts'
import { alignLog, buildState, removeState, replaceState } from './rebuild.ts'

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
  /** What other servers have, for when all that this one has is damaged. */
  readonly peers: StatePeers
}

export interface StatePeers extends Pick<StateFetch, 'canAsk' | 'fetch'> {
  /** Ends the core: its log may be replaced. */
  readonly detach: () => void
  /** Begins a new one on the new state. */
  readonly attach: () => void
}

const suspectEveryMs = 10_000
const stopGraceMs = 2000

/** In raft.db: the damage of state.db, for a start after an end in between. */
const damageKey = 'stateDamage'
/** With it, when other servers say so: the sums that most of them have at an entry, as JSON. */
const rightKey = 'stateRight'

/**
 * Watches over state.db: opens it, or rebuilds it when it is damaged; has all of it compared with
 * its sums after the start and then regularly; and rebuilds it under its readers when that finds
 * damage. The sources of a rebuild are the server's own log and snapshots.
 */
export class StateKeeper {
  readonly state: StateWriter
  readonly #parts: StateKeeperParts
  readonly #path: string
  readonly #rebuilt: string
  #damage: string | undefined
  /** Found at the start: there is nothing here to rebuild the state from. */
  #lost: SvcdError | undefined
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> = Promise.resolve()
  #suspicion: NodeJS.Timeout | undefined
  #suspectedAtMs = -Infinity
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

  /** The present damage of the state; undefined: none that is known. */
  get damage(): string | undefined {
    return this.#damage
  }

  /** All is damaged, and the core must not begin before another server's snapshot is here. */
  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** How many times damage was found since the start. */
  get damagesFound(): number {
    return this.#found
  }

  /** Throws SvcdError `state-damaged`. */
  report(): StateReport {
    if (this.#damage !== undefined) throw svcdError('state-damaged', { reason: this.#damage })
    const { now, recorded } = this.state.sums
    return { format: stateVersion, sums: [...recorded, now] }
  }

  /** What most servers have at an entry. Returns whether this server has something else there. */
  onDiffers({ index, text }: PlacedSums): boolean {
    if (this.#damage !== undefined) return true
    const own = this.report().sums.find((sums) => sums.index === index)
    if (own === undefined || own.text === text) return false
    const reason = `at entry ${index} it differs from the state of most servers (${differing(own.text, text)})`
    void this.onDamage(reason, { index, text })
    return true
  }

  /** For an error that ends the process: the next start rebuilds the state. */
  noteForNextStart(reason: string): void {
    this.#note(reason, undefined)
  }

  /** Gets a state from other servers if this one has none; then the first check begins. */
  async start(): Promise<void> {
    if (this.#lost !== undefined) await this.#fromPeers(this.#lost)
    void this.#checkAndGoOn()
  }

  /**
   * Resolves when no check reads state.db any more, so that its writer is the last to close it and its WAL
   * goes; after 2 s at the latest.
   */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#suspicion)
    const checked = new AbortController()
    const { signal } = checked
    const patience = sleep(stopGraceMs, undefined, { signal }).catch(() => {})
    await Promise.race([this.#checking.catch(() => {}), patience])
    checked.abort()
  }

  /**
   * A read met what looks like damage: all is checked now and not at its turn, but no sooner than 10 s
   * after the last time that this was done.
   */
  suspect(reason: string): void {
    if (this.#damage !== undefined || this.#isStopped || this.#suspicion !== undefined) return
    const waitMs = Math.max(0, this.#suspectedAtMs + suspectEveryMs - performance.now())
    this.#suspicion = setTimeout(() => void this.#checkSuspicion(reason), waitMs)
  }

  /**
   * Compares every row and index with the sums, in a thread of low priority; rebuilds damaged ones.
   * One at a time: a second check would use what the first has read too early.
   */
  check(): Promise<void> {
    this.#checking = this.#checking.then(() => this.#check())
    return this.#checking
  }

  async #checkSuspicion(reason: string): Promise<void> {
    this.#suspicion = undefined
    if (this.#damage !== undefined) return
    const { logger } = this.#parts
    const found = this.#found
    this.#suspectedAtMs = performance.now()
    logger.warn({ reason }, 'a read found damage in state.db; checking the whole file')
    await this.check()
    this.#suspectedAtMs = performance.now()
    if (this.#found > found || this.#isStopped) return
    logger.warn({ reason }, 'checked state.db and found no damage')
  }

  async #check(): Promise<void> {
    if (this.#isStopped || this.#damage !== undefined) return
    try {
      await inSnapshotThread({ kind: 'verify', statePath: this.#path })
    } catch (error) {
      if (this.#isStopped) return
      if (error instanceof SvcdError && error.code === 'state-damaged') {
        await this.onDamage(error.message)
        return
      }
      this.#parts.logger.warn({ reason: reasonOf(error) }, 'cannot check state.db')
    }
  }

  /** Stops serving, rebuilds, and continues. Ends the process when it cannot. */
  async onDamage(reason: string, right?: PlacedSums): Promise<void> {
    if (this.#damage !== undefined || this.#isStopped) return
    this.#damage = reason
    clearTimeout(this.#suspicion)
    this.#suspicion = undefined
    this.#note(reason, right)
    const { standstill, logger, log, snapshots, guard } = this.#parts
    try {
      await standstill.begin()
      if (this.#isStopped) return
      const { appliedIndex } = this.state
      const lost = { file: this.#path, reason }
      buildState(this.#rebuilt, appliedIndex, { log, snapshots: snapshots(), right }, lost)
      await this.state.replaceBy(this.#rebuilt)
      removeState(this.#rebuilt)
      this.#forget()
      this.#damage = undefined
      logger.warn({ index: appliedIndex }, 'rebuilt state.db; this server answers again')
      standstill.end()
    } catch (error) {
      if (this.#mayAsk(error)) return this.#fromPeers(error)
      // The next start tries it from nothing, and says what to do when that fails, too.
      guard(() => {
        throw error
      })
    }
  }

  #mayAsk(error: unknown): error is SvcdError {
    return error instanceof SvcdError && error.code === 'state-lost' && this.#parts.peers.canAsk
  }

  /**
   * Takes over a snapshot of another server. Ends the process with `lost` when no server gives one.
   */
  async #fromPeers(lost: SvcdError): Promise<void> {
    const { peers, log, logger, guard, standstill } = this.#parts
    this.#lost = lost
    logger.error({ reason: lost.message }, 'asking the other servers for their state')
    try {
      peers.detach()
      const { base, snapshot } = log.state()
      // A newer one than all that are here, or it would be removed as too old.
      const own = this.#parts.snapshots()[0]?.meta.index ?? 0
      const file = await peers.fetch(Math.max(base.index, snapshot?.index ?? 0, own))
      if (this.#isStopped) return
      if (file === undefined) throw lost
      await this.#takeOver(file, lost)
      this.#lost = undefined
      peers.attach()
      standstill.end()
    } catch (error) {
      guard(() => {
        throw error
      })
    }
  }

  async #takeOver(file: SnapshotFile, lost: SvcdError): Promise<void> {
    const { log, logger } = this.#parts
    const to = alignLog(log, file.meta)
    const told = rightIn(log)
    // What most servers have at an older entry is in the snapshot; it is compared again in any case.
    const right = told !== undefined && told.index >= file.meta.index ? told : undefined
    const described = { file: this.#path, reason: lost.message }
    buildState(this.#rebuilt, to, { log, snapshots: [file], right }, described)
    await this.state.replaceBy(this.#rebuilt)
    removeState(this.#rebuilt)
    this.#forget()
    this.#damage = undefined
    const fields = { index: to, snapshot: file.meta.index }
    logger.warn(fields, 'rebuilt state.db from a snapshot of another server')
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
    const right = rightIn(log)
    this.#note(reason, right)
    const { base, hardState } = log.state()
    const to = Math.max(base.index, hardState.commit)
    const lost = { file: this.#path, reason }
    try {
      buildState(this.#rebuilt, to, { log, snapshots: snapshots(), right }, lost)
    } catch (error) {
      if (!this.#mayAsk(error)) throw error
      return this.#openEmpty(reason, error)
    }
    replaceState(this.#path, this.#rebuilt)
    const state = new StateWriter(this.#path)
    this.#forget()
    logger.warn({ index: to }, 'rebuilt state.db')
    return state
  }

  /** Nothing is answered from it: it is what readers open until there is a state. */
  #openEmpty(reason: string, lost: SvcdError): StateWriter {
    this.#damage = reason
    this.#lost = lost
    new StateWriter(this.#rebuilt).close()
    replaceState(this.#path, this.#rebuilt)
    return new StateWriter(this.#path)
  }

  #forget(): void {
    const { log } = this.#parts
    log.setMeta(rightKey, '')
    log.setMeta(damageKey, '')
  }

  #note(reason: string, right: PlacedSums | undefined): void {
    const { log, logger } = this.#parts
    this.#found++
    log.setMeta(rightKey, right === undefined ? '' : JSON.stringify(right))
    log.setMeta(damageKey, reason)
    logger.error(
      { file: this.#path, reason },
      'state.db is damaged: this server stops answering and rebuilds it from its log and snapshots. Check the disk and the memory of this machine.',
    )
  }
}

function rightIn(log: RaftLog): PlacedSums | undefined {
  const text = log.meta(rightKey) ?? ''
  return text === '' ? undefined : (JSON.parse(text) as PlacedSums)
}

/** The tables whose sums differ, with both. */
function differing(own: string, right: string): string {
  const others = new Set(right.split(' '))
  const found = own.split(' ').filter((sum) => !others.has(sum))
  return found.join(', ')
}

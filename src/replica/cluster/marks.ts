import { svcdError } from '../../base/errors.ts'
import type { RaftLog } from '../../storage/log/raft-log.ts'
import type { Pledge } from './formation.ts'

/**
 * The facts about the cluster that raft.db stores beside the log. A value is synced when the call
 * that sets it returns.
 */
export class ClusterMarks {
  readonly #log: Pick<RaftLog, 'meta' | 'setMeta'>
  #isCaughtUp: boolean
  #clusterId: string | undefined
  #newestEpoch: number

  constructor(log: Pick<RaftLog, 'meta' | 'setMeta'>) {
    this.#log = log
    this.#isCaughtUp = log.meta('caughtUp') === 'yes'
    this.#clusterId = log.meta('clusterId')
    this.#newestEpoch = Number(log.meta('newestEpoch') ?? 0)
  }

  /** It has once seen all that its leader had committed. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp
  }

  /** Undefined before this server has founded or joined a cluster. */
  get clusterId(): string | undefined {
    return this.#clusterId
  }

  /** Raised by each recovery from a lost quorum: servers of an older one are not of this cluster. */
  get epoch(): number {
    return Number(this.#log.meta('epoch') ?? 0)
  }

  /** The newest epoch of its cluster that this server has learned of; see EpochFence. */
  get newestEpoch(): number {
    return this.#newestEpoch
  }

  get pledge(): Pledge | undefined {
    const text = this.#log.meta('pledge')
    return text === undefined ? undefined : (JSON.parse(text) as Pledge)
  }

  /**
   * Keeps the id under which this server is known to its cluster. Throws `node-id-lost` when that is
   * another one: under a new name it would be no member, and could vote twice.
   */
  claim(id: string, path: string): void {
    const known = this.#log.meta('nodeId')
    if (known === id) return
    if (known !== undefined && (this.#clusterId !== undefined || this.pledge !== undefined)) {
      throw svcdError('node-id-lost', {
        path,
        reason: `${id} does not match its node ID, ${known}`,
      })
    }
    this.#log.setMeta('nodeId', id)
  }

  setCaughtUp(): void {
    this.#log.setMeta('caughtUp', 'yes')
    this.#isCaughtUp = true
  }

  setClusterId(clusterId: string): void {
    this.#log.setMeta('clusterId', clusterId)
    this.#clusterId = clusterId
  }

  setEpoch(epoch: number): void {
    this.#log.setMeta('epoch', String(epoch))
  }

  setNewestEpoch(epoch: number): void {
    this.#log.setMeta('newestEpoch', String(epoch))
    this.#newestEpoch = epoch
  }

  setPledge(pledge: Pledge): void {
    this.#log.setMeta('pledge', JSON.stringify(pledge))
  }
}

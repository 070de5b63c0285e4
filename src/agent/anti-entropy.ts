import type { Reads } from '../ports/reads.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { Identity } from '../ports/identity.ts'
import { reasonOf } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { isOfAgent } from '../state/catalog/model.ts'
import { reconcileDelayMs } from '../health/schedule.ts'
import type { Head } from '../storage/agent/rows.ts'
import type { AgentStore } from '../storage/agent/store.ts'
import { isSameCheck, keepForeignTags, nextTurn } from './boot.ts'
import type { AgentSync } from './sync.ts'
import { ownerOf } from './checks/definition.ts'
import type { CheckRun } from './checks/definition.ts'
import type { CheckRunner } from './checks/runner.ts'
import { isSame } from '../state/catalog/is-same.ts'

export interface AntiEntropyParts {
  readonly identity: Identity
  readonly store: AgentStore<CheckRun>
  readonly runner: CheckRunner
  readonly sync: AgentSync
  readonly read: Reads<CatalogReader>['read']
  readonly registerNode: () => Promise<void>
  readonly random: Random
  readonly logger: Logger
  readonly version?: () => number
  readonly hasChangedSince?: (version: number) => boolean
  readonly reconcileEveryMs?: number
}

const everyMsDefault = 60_000
const soonMs = 3000
/** Between pages everything else has its turn: an agent may have a hundred thousand checks. */
const pageSize = 256

interface Counts {
  proposed: number
  removed: number
}

/**
 * Compares the catalog with agent.db, from time to time: the agent is the authority for its
 * registrations. Entries that the catalog lost, or that another client wrote over, are proposed
 * again. Entries of this agent that agent.db does not have are removed. Direct catalog
 * registrations are left alone.
 */
export class AntiEntropy {
  readonly #parts: AntiEntropyParts
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  /** The version of the catalog at which the last comparison that found nothing began. */
  #cleanAt: number | undefined
  #isStopped = false
  #isPaused = false

  constructor(parts: AntiEntropyParts) {
    this.#parts = parts
  }

  start(): void {
    const { read, random, reconcileEveryMs = everyMsDefault } = this.#parts
    const nodes = read((catalog) => catalog.nodes().length)
    this.#arm(reconcileDelayMs(reconcileEveryMs, nodes, random))
  }

  runSoon(): void {
    this.#cleanAt = undefined
    if (this.#timer !== undefined) this.#arm(soonMs * this.#parts.random())
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
  }

  /** Compares now; resolves when what was found has been proposed once. Never rejects. */
  async run(): Promise<void> {
    if (this.#isStopped || this.#isPaused) return
    this.#running ??= this.#compare().finally(() => {
      this.#running = undefined
    })
    await this.#running
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #arm(delayMs: number): void {
    clearTimeout(this.#timer)
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.run().finally(() => this.start()), delayMs)
    this.#timer.unref()
  }

  async #compare(): Promise<void> {
    const { sync, logger, registerNode, version, hasChangedSince } = this.#parts
    if (this.#cleanAt !== undefined && hasChangedSince?.(this.#cleanAt) === false) return
    const startedAt = version?.()
    const counts: Counts = { proposed: 0, removed: 0 }
    try {
      await registerNode()
    } catch (error) {
      logger.debug({ reason: reasonOf(error) }, 'cannot compare this node with the catalog')
      return
    }
    sync.noteAcknowledged()
    await this.#eachHead('service', (head) => this.#compareService(head, counts))
    await this.#eachHead('check', (head) => this.#compareCheck(head, counts))
    await this.#removeServices(counts)
    await this.#removeChecks(counts)
    if (this.#isStopped) return
    const isClean = counts.proposed + counts.removed === 0
    this.#cleanAt = isClean ? startedAt : undefined
    if (isClean) return
    logger.info(counts, "the catalog differs from this agent's registrations; correcting it")
    await sync.runNow()
  }

  async #eachHead(kind: 'service' | 'check', compare: (head: Head) => void): Promise<void> {
    const { store, sync } = this.#parts
    for (let afterId = ''; !this.#isStopped;) {
      const page =
        kind === 'service'
          ? store.serviceHeads(afterId, pageSize)
          : store.checkHeads(afterId, pageSize)
      const last = page.at(-1)
      if (last === undefined) return
      afterId = last.id
      for (const head of page) if (!sync.isBusy(kind, head.id)) compare(head)
      await nextTurn()
    }
  }

  #compareService(head: Head, counts: Counts): void {
    const { store, sync, identity, read } = this.#parts
    const { id, syncedIndex } = head
    read((catalog) => {
      const seen = catalog.serviceHead(identity.nodeName, id)
      const isKnown = seen !== undefined && seen.modifyIndex <= (syncedIndex ?? -1)
      if (isKnown && isOfAgent(seen)) return
      // This copy of the catalog has not applied yet what another one acknowledged.
      if (catalog.appliedIndex() < (syncedIndex ?? 0)) return
      const row = catalog.service(identity.nodeName, id)
      const stored = store.service(id)
      if (stored === undefined) return
      if (row !== undefined && isSame(stored.service, row)) {
        store.serviceSynced(id, row.modifyIndex)
        return
      }
      keepForeignTags(store, id, row)
      sync.later('service', id)
      counts.proposed++
    })
  }

  #compareCheck(head: Head, counts: Counts): void {
    const { store, sync, runner, identity, read } = this.#parts
    const { id, syncedIndex } = head
    const running = runner.get(id)
    if (running !== undefined && sync.isTelling(running)) return
    read((catalog) => {
      const seen = catalog.checkHead(identity.nodeName, id)
      const isKnown = seen !== undefined && seen.modifyIndex <= (syncedIndex ?? -1)
      const told = running?.state.told.status
      if (isKnown && (told === undefined || told === seen.status)) return
      if (catalog.appliedIndex() < (syncedIndex ?? 0)) return
      const row = catalog.check(identity.nodeName, id)
      const stored = store.check(id)
      if (stored === undefined) return
      const status = told ?? stored.check.status
      if (row !== undefined && isSameCheck(stored.check, row) && row.status === status) {
        store.checkSynced(id, row.modifyIndex)
        return
      }
      counts.proposed++
      // A service is proposed with its checks.
      if (!sync.isBusy('service', stored.check.serviceId)) sync.later('check', id)
    })
  }

  async #removeServices(counts: Counts): Promise<void> {
    const { store, sync, identity, read } = this.#parts
    for (let afterId = ''; !this.#isStopped;) {
      const page = read((catalog) => catalog.serviceHeads(identity.nodeName, afterId, pageSize))
      const last = page.at(-1)
      if (last === undefined) return
      afterId = last.id
      for (const head of page) {
        const { id } = head
        if (!isOfAgent(head) || store.hasService(id) || sync.isBusy('service', id)) continue
        sync.resumeRemoval({ kind: 'service', id })
        counts.removed++
      }
      await nextTurn()
    }
  }

  async #removeChecks(counts: Counts): Promise<void> {
    const { store, sync, identity, read } = this.#parts
    const { nodeName } = identity
    for (let afterId = ''; !this.#isStopped;) {
      const page = read((catalog) => catalog.checkHeads(nodeName, afterId, pageSize))
      const last = page.at(-1)
      if (last === undefined) return
      afterId = last.id
      for (const { id } of page) {
        if (store.check(id) !== undefined || sync.isBusy('check', id)) continue
        const row = read((catalog) => catalog.check(nodeName, id))
        if (row === undefined || ownerOf(row) === undefined) continue
        // It goes with its service.
        if (sync.isBusy('service', row.serviceId)) continue
        sync.resumeRemoval({ kind: 'check', id })
        counts.removed++
      }
      await nextTurn()
    }
  }
}

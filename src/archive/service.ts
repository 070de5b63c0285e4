import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Restored, SnapshotArchive, Snapshots } from '../ports/snapshots.ts'
import type { Origin } from '../ports/writes.ts'
import { SvcdError, reasonOf, svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { CommandBody, Outcome } from '../state/machine/command.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import { catalogVersion } from '../state/catalog/schema.ts'
import { packSnapshot, unpackSnapshot } from './archive.ts'
import { parseSnapshotMeta, unusable } from '../storage/snapshot/file.ts'
import type { SnapshotFile } from '../storage/snapshot/file.ts'
import type { RunSnapshotJob } from '../storage/snapshot/worker.ts'
import { otherFormat } from '../storage/state-tables.ts'
import { StateReader, StateWriter } from '../storage/state.ts'
import { restoreCommands } from './restore-plan.ts'

export interface SnapshotServiceParts {
  readonly dataDirectory: string
  /** Makes a snapshot of the state; resolves with its path. */
  readonly makeSnapshot: () => Promise<string>
  readonly propose: (body: CommandBody, origin: Origin) => Promise<Outcome>
  readonly state: StateReader
  readonly memberIds: () => ReadonlySet<string>
  readonly logger: Logger
  /** Where archives are checked: in a thread of its own unless given. */
  readonly run?: RunSnapshotJob
}

/** Commands of a restore that are under way at a time: they share syncs, and leave room for others. */
const underWayMax = 256
const underWayBytesMax = 2 * 1024 * 1024
/** Services that are compared in one turn of the event loop. */
const planMax = 64
const busyWaitMs = 100

/** Archives of the catalog: made of this server's state, and brought back through the log. */
export class SnapshotService implements Snapshots {
  readonly #parts: SnapshotServiceParts
  #isRestoring = false

  constructor(parts: SnapshotServiceParts) {
    this.#parts = parts
  }

  async snapshot(): Promise<SnapshotArchive> {
    const file = await describedFile(await this.#parts.makeSnapshot())
    const { index, size } = file.meta
    return { index, stateBytes: size, archive: packSnapshot(file) }
  }

  async restore(archive: AsyncIterable<Uint8Array>, origin: Origin): Promise<Restored> {
    if (this.#isRestoring) {
      throw svcdError('operation-refused', { reason: 'another restore is running on this server' })
    }
    this.#isRestoring = true
    const directory = join(this.#parts.dataDirectory, 'restore')
    const path = join(directory, `${randomUUID()}.state`)
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const { run } = this.#parts
      const options = { name: 'in the request', path, ...(run === undefined ? {} : { run }) }
      const { meta } = await unpackSnapshot(archive, options)
      if (meta.schemaVersion > catalogVersion) {
        throw unusable(options.name, otherFormat(meta.schemaVersion, catalogVersion))
      }
      // Brings an older format to this one, in the copy.
      new StateWriter(path).close()
      const restored = await this.#replay(path, origin)
      const { index, clusterId } = meta
      this.#parts.logger.warn({ index, clusterId, ...restored }, 'restored a snapshot')
      return restored
    } finally {
      this.#isRestoring = false
      await rm(directory, { recursive: true, force: true })
    }
  }

  async #replay(path: string, origin: Origin): Promise<Restored> {
    const counts = { registered: 0, deregistered: 0 }
    const state = new StateReader(path)
    try {
      const plan = new Plan(state.catalog, this.#parts)
      for (;;) {
        const batch = await plan.next()
        if (batch.length === 0) return counts
        await this.#proposeAll(batch, origin, counts)
      }
    } catch (error) {
      // Nothing is done yet: the cause alone is what matters.
      const done = counts.registered + counts.deregistered
      if (done === 0 || !(error instanceof SvcdError)) throw error
      const reason = reasonOf(error).replace(/\.$/, '')
      throw svcdError('restore-unfinished', { done, reason }, error)
    } finally {
      state.close()
    }
  }

  async #proposeAll(
    batch: readonly CommandBody[],
    origin: Origin,
    counts: { registered: number; deregistered: number },
  ): Promise<void> {
    const results = await Promise.allSettled(batch.map((body) => this.#propose(body, origin)))
    for (const [at, { status }] of results.entries()) {
      if (status === 'rejected') continue
      if (batch[at]?.kind === 'deregister') counts.deregistered++
      else counts.registered++
    }
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #propose(body: CommandBody, origin: Origin): Promise<void> {
    for (;;) {
      try {
        const outcome = await this.#parts.propose(body, origin)
        if (outcome.ok) return
        // Only a server that left in the time between can be missing: every other node comes with
        // its command.
        const reason = `${outcome.error} ${outcome.subject} on ${body.nodeName}`
        throw svcdError('operation-refused', { reason })
      } catch (error) {
        if (!(error instanceof SvcdError) || error.code !== 'busy') throw error
        await new Promise((resolve) => {
          setTimeout(resolve, busyWaitMs)
        })
      }
    }
  }
}

/** The commands of a restore in batches, planned a few at a time against the catalog as it is then. */
class Plan {
  readonly #steps: Generator<CommandBody | undefined>
  readonly #state: StateReader

  constructor(archived: CatalogReader, { state, memberIds }: SnapshotServiceParts) {
    this.#state = state
    const present = state.catalog
    this.#steps = restoreCommands({ archived, present, memberIds: memberIds() })
  }

  /** Empty at the end. */
  async next(): Promise<readonly CommandBody[]> {
    const batch: CommandBody[] = []
    let bytes = 0
    while (batch.length < underWayMax && bytes < underWayBytesMax) {
      const { bodies, isDone } = this.#take()
      for (const body of bodies) bytes += JSON.stringify(body).length
      batch.push(...bodies)
      if (isDone) return batch
      // Requests and checks continue during this.
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    return batch
  }

  #take(): { readonly bodies: readonly CommandBody[]; readonly isDone: boolean } {
    return this.#state.read(() => {
      const bodies: CommandBody[] = []
      for (let count = 0; count < planMax; count++) {
        const step = this.#steps.next()
        if (step.done === true) return { bodies, isDone: true }
        if (step.value !== undefined) bodies.push(step.value)
      }
      return { bodies, isDone: false }
    })
  }
}

/** A finished snapshot with the description beside it. */
async function describedFile(path: string): Promise<SnapshotFile> {
  const text = await readFile(path.replace(/\.snap$/, '.json'), 'utf8')
  const meta = parseSnapshotMeta(text)
  if (meta === undefined) {
    throw svcdError('snapshot-unusable', { file: path, reason: 'its description is damaged' })
  }
  return { path, meta }
}

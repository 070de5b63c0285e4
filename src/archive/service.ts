import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Restored, SnapshotArchive, Snapshots } from '../ports/snapshots.ts'
import type { Origin } from '../ports/writes.ts'
import { svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { CommandBody } from '../state/families.ts'
import type { Outcome } from '../state/machine/command.ts'
import { stateVersion } from '../state/families.ts'
import { packSnapshot, unpackSnapshot } from './archive.ts'
import { parseSnapshotMeta, unusable } from '../storage/snapshot/file.ts'
import type { SnapshotFile } from '../storage/snapshot/file.ts'
import type { RunSnapshotJob } from '../storage/snapshot/worker.ts'
import { otherFormat } from '../storage/state-tables.ts'
import { StateReader, StateWriter } from '../storage/state.ts'
import { restoreState } from './restore.ts'

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
      if (meta.schemaVersion > stateVersion) {
        throw unusable(options.name, otherFormat(meta.schemaVersion, stateVersion))
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
    const { state: present, memberIds, propose } = this.#parts
    const archived = new StateReader(path)
    try {
      return await restoreState({ archived, present, memberIds: memberIds(), propose }, origin)
    } finally {
      archived.close()
    }
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

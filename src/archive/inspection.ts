import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, svcdError } from '../base/errors.ts'
import { unpackSnapshot } from './archive.ts'

/** What an archive says of itself, after all of it was verified. */
export interface SnapshotInspection {
  readonly index: number
  readonly term: number
  readonly clusterId: string
  readonly epoch: number
  readonly schemaVersion: number
  /** Bytes of the state. */
  readonly size: number
  /** Addresses of the voters. */
  readonly servers: readonly string[]
  /** By table. */
  readonly rows: Readonly<Record<string, number>>
}

/** Rejects with `snapshot-unusable`. */
export async function inspectSnapshot(file: string): Promise<SnapshotInspection> {
  try {
    await stat(file)
  } catch (error) {
    throw svcdError('snapshot-unusable', { file, reason: reasonOf(error) }, error)
  }
  const directory = await mkdtemp(join(tmpdir(), 'svcd-inspect-'))
  try {
    const path = join(directory, 'unpacked.state')
    const { meta, rows } = await unpackSnapshot(createReadStream(file), { name: file, path })
    const { index, term, clusterId, epoch, schemaVersion, size, config } = meta
    const servers = config.voters.map((id) => config.addresses[id] ?? id)
    return { index, term, clusterId, epoch, schemaVersion, size, servers, rows }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

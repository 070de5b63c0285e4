import type { Origin } from './writes.ts'

/** A state of the catalog as people keep it. */
export interface SnapshotArchive {
  /** The entry of the log that it stands at. */
  readonly index: number
  /** Bytes of the state that is packed in it. */
  readonly stateBytes: number
  /** gzip tar of meta.json, state.bin and SHA256SUMS. It breaks off when the state is damaged. */
  readonly archive: NodeJS.ReadableStream
}

/** What a restore changed. */
export interface Restored {
  /** Commands that added or changed something. */
  readonly written: number
  readonly removed: number
}

/** The replicated state as files that people keep. */
export interface Snapshots {
  /** Packs the state that this server has applied. Rejects with `snapshot-failed`. */
  snapshot(): Promise<SnapshotArchive>
  /**
   * Makes the catalog of the whole cluster what an archive says, by commands in the log, so that a
   * restore that broke off can be repeated. Rejects with `snapshot-unusable` (nothing was changed then),
   * `restore-unfinished`, `no-leader`.
   */
  restore(archive: AsyncIterable<Uint8Array>, origin: Origin): Promise<Restored>
}

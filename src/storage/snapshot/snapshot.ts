import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf, svcdError } from '../../base/errors.ts'
import { stateVersion } from '../../state/families.ts'
import type { PlacedConfig } from '../../raft/config.ts'
import type { SnapshotMeta } from '../../raft/storage.ts'
import {
  parseSnapshotMeta,
  placeFile,
  SnapshotSink,
  SnapshotSource,
  syncDirectory,
  unusable,
} from './file.ts'
import type { SnapshotFile, SnapshotFileMeta } from './file.ts'
import type { SnapshotFacts } from './job.ts'
import { inSnapshotThread } from './worker.ts'
import { otherFormat } from '../state-tables.ts'
import type { RunSnapshotJob } from './worker.ts'

export interface SnapshotStoreOptions {
  /** Made when it is not there. */
  readonly directory: string
  readonly statePath: string
  readonly identity: () => { readonly clusterId: string; readonly epoch: number }
  /** The snapshot that the log relies on: it is never removed. */
  readonly current: () => Place | undefined
  /** Where the work is done: in a thread of its own unless given. */
  readonly run?: RunSnapshotJob
}

/** Where in the log a snapshot stands. */
export type Place = Pick<SnapshotMeta, 'index' | 'term'>

/** Beside the one that the log relies on. */
const kept = 2

const namePattern = /^(\d+)-(\d+)\.(?:snap|json)$/

const soundMax = 64

/**
 * The finished snapshots of a server: `<index>-<term>.snap`, a clean SQLite file that is never
 * written to again, and beside it its description as JSON, whose being there says that it is whole.
 */
export class SnapshotStore {
  readonly #options: SnapshotStoreOptions
  /** Names of those that were found sound since the start. */
  readonly #sound = new Set<string>()
  readonly #run: RunSnapshotJob
  #last: Promise<unknown> = Promise.resolve()
  #temporaries = 0

  /** Removes what was left unfinished, and what is too old. Throws SvcdError `data-dir-unusable`. */
  constructor(options: SnapshotStoreOptions) {
    this.#options = options
    this.#run = options.run ?? inSnapshotThread
    const { directory } = options
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const names = readdirSync(directory)
      const finished = new Set(names.filter((name) => name.endsWith('.json')).map(baseOf))
      for (const name of names) {
        const isStray =
          name.includes('.tmp') || (name.endsWith('.snap') && !finished.has(baseOf(name)))
        if (isStray) rmSync(join(directory, name), { recursive: true, force: true })
      }
      chmodSync(directory, 0o700)
      for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o600)
      for (const name of this.#superfluous()) rmSync(join(directory, name), { force: true })
    } catch (error) {
      throw svcdError('data-dir-unusable', { path: directory, reason: reasonOf(error) }, error)
    }
  }

  /** The newest first. Not verified; one whose description cannot be read is left out. */
  list(): readonly SnapshotFile[] {
    return this.#places().flatMap((place) => {
      const meta = this.#describe(place)
      return meta === undefined ? [] : [{ path: this.#pathOf(place, 'snap'), meta }]
    })
  }

  /** Throws SvcdError `snapshot-unusable` when it is not there. */
  find(place: Place): SnapshotFile {
    const path = this.#pathOf(place, 'snap')
    const meta = this.#describe(place)
    if (meta === undefined) throw unusable(path, 'it does not exist, or its description is damaged')
    return { path, meta }
  }

  /**
   * Makes a snapshot of the state as it is when a thread begins to read it, while the writer
   * continues. The file itself contains its index. `describe` is then asked, in this thread, for
   * the configuration at that index (`raft.state.configs.at(index)`). It is undefined when it is
   * not known any more, because a received snapshot has replaced the log, and then there is no
   * snapshot.
   *
   * Rejects with SvcdError `snapshot-failed` or `snapshot-unusable`. One at a time: another waits.
   */
  create(describe: (place: Place) => PlacedConfig | undefined): Promise<SnapshotFile | undefined> {
    const { statePath: path } = this.#options
    const made = this.#last.then(async () => {
      const temporary = this.#temporary('make')
      const facts = await this.#orRemove(temporary, () =>
        this.#run({ kind: 'make', statePath: path, path: temporary }),
      )
      const placed = await this.#orRemove(temporary, async () => describe(facts))
      const known = this.#describe(facts)
      if (placed !== undefined && known === undefined) {
        const { config, index: confIndex } = placed
        return this.#orRemove(temporary, () => this.#place(temporary, facts, { config, confIndex }))
      }
      await rm(temporary, { force: true })
      return known && this.find(known)
    })
    this.#last = made.catch(() => {})
    return made
  }

  /** Rejects with SvcdError `snapshot-unusable` unless the whole file is as it was when it was made. */
  async verify(file: SnapshotFile): Promise<void> {
    const name = nameOf(file.meta)
    if (this.#sound.has(name)) return
    checkFacts(file, await this.#run({ kind: 'check', path: file.path }))
    this.#noteSound(name)
  }

  #noteSound(name: string): void {
    // The entries of removed files would stay; a forgotten one is verified again.
    if (this.#sound.size >= soundMax) this.#sound.clear()
    this.#sound.add(name)
  }

  /** To be sent: it is verified before. */
  async open(place: Place): Promise<SnapshotSource> {
    const file = this.find(place)
    await this.verify(file)
    return SnapshotSource.open(file)
  }

  /** To be received; it is in the list when `finish` has resolved. `from` is who sends it. */
  async receive(
    from: { readonly id: string },
    meta: SnapshotMeta,
    file: { readonly size: number; readonly sha256: string },
  ): Promise<SnapshotSink> {
    return SnapshotSink.open(this.#temporary('receive'), file.size, async (temporary) => {
      await this.#orRemove(temporary, async () => {
        const name = `${nameOf(meta)} from ${from.id}`
        const facts = await this.#run({ kind: 'check', path: temporary, name })
        const { size, sha256 } = file
        checkFacts({ path: name, meta: { ...meta, size, sha256 } }, facts)
        // Found now and not when it is installed, which would end the process.
        if (facts.schemaVersion > stateVersion) {
          throw unusable(name, otherFormat(facts.schemaVersion, stateVersion))
        }
        return this.#place(temporary, facts, meta)
      })
    })
  }

  /**
   * Takes over the file of an unpacked archive, which is gone afterwards, as a snapshot of this log
   * at `meta`: what an operator restores has to stand behind all that the log holds.
   */
  async adopt(path: string, meta: SnapshotMeta): Promise<SnapshotFile> {
    const { index, term } = meta
    const facts = await this.#run({ kind: 'move', path, index, term })
    if (facts.damage !== undefined) throw unusable(path, facts.damage)
    return this.#place(path, facts, meta)
  }

  /** A name in this directory that the next start removes. */
  temporaryPath(): string {
    return this.#temporary('unpack')
  }

  #temporary(what: string): string {
    return join(this.#options.directory, `${what}-${++this.#temporaries}.tmp`)
  }

  async #orRemove<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
  }

  /** The file is synced and sound. The description goes first and comes last. */
  async #place(
    temporary: string,
    facts: SnapshotFacts,
    { config, confIndex }: Pick<SnapshotMeta, 'config' | 'confIndex'>,
  ): Promise<SnapshotFile> {
    const { directory, identity } = this.#options
    const { index, term, schemaVersion, size, sha256 } = facts
    const { clusterId, epoch } = identity()
    const place = { index, term, config, confIndex }
    const meta = { ...place, clusterId, epoch, schemaVersion, size, sha256 }
    const description = this.#pathOf(meta, 'json')
    await rm(description, { force: true })
    await syncDirectory(directory)
    await rename(temporary, this.#pathOf(meta, 'snap'))
    await placeFile(description, JSON.stringify(meta))
    await syncDirectory(directory)
    this.#noteSound(nameOf(meta))
    for (const name of this.#superfluous()) await rm(join(directory, name), { force: true })
    return { path: this.#pathOf(meta, 'snap'), meta }
  }

  #describe(place: Place): SnapshotFileMeta | undefined {
    try {
      const meta = parseSnapshotMeta(readFileSync(this.#pathOf(place, 'json'), 'utf8'))
      return meta?.index === place.index && meta.term === place.term ? meta : undefined
    } catch {
      return undefined
    }
  }

  #pathOf(place: Place, extension: 'snap' | 'json'): string {
    return join(this.#options.directory, `${nameOf(place)}.${extension}`)
  }

  /** Of all finished ones, the newest first. */
  #places(): readonly Place[] {
    return readdirSync(this.#options.directory)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => {
        const [, index, term] = namePattern.exec(name) ?? []
        return index === undefined ? [] : [{ index: Number(index), term: Number(term) }]
      })
      .toSorted((a, b) => b.index - a.index || b.term - a.term)
  }

  /** Names of files that are to go: the description first. */
  #superfluous(): readonly string[] {
    const current = this.#options.current()
    return this.#places()
      .slice(kept)
      .filter(({ index, term }) => index !== current?.index || term !== current.term)
      .flatMap((place) => [`${nameOf(place)}.json`, `${nameOf(place)}.snap`])
  }
}

function nameOf({ index, term }: Place): string {
  return `${index}-${term}`
}

function baseOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'))
}

/** Throws unless the file is the one that `meta` describes. */
export function checkFacts(
  {
    path,
    meta,
  }: { readonly path: string; readonly meta: Place & { size: number; sha256: string } },
  facts: SnapshotFacts,
): void {
  const { index, term, size, sha256 } = facts
  if (size !== meta.size) throw unusable(path, `it has ${size} bytes instead of ${meta.size}`)
  if (sha256 !== meta.sha256) {
    throw unusable(path, `its SHA-256 is ${sha256} instead of ${meta.sha256}`)
  }
  if (index !== meta.index || term !== meta.term) {
    throw unusable(
      path,
      `it is from entry ${index}, term ${term}, instead of entry ${meta.index}, term ${meta.term}`,
    )
  }
  if (facts.damage !== undefined) throw unusable(path, facts.damage)
}

import { createHash } from 'node:crypto'
import { open, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { InvariantError } from '../base/assert.ts'
import { reasonOf, SvcdError, svcdError } from '../base/errors.ts'
import { checkFacts } from '../storage/snapshot/snapshot.ts'
import { parseSnapshotMeta, SnapshotSource, unusable } from '../storage/snapshot/file.ts'
import type { SnapshotFile, SnapshotFileMeta } from '../storage/snapshot/file.ts'
import { inSnapshotThread } from '../storage/snapshot/worker.ts'
import type { RunSnapshotJob } from '../storage/snapshot/worker.ts'
import { readTar, tarEnd, tarHeader, tarPadding } from './tar.ts'
import type { TarEntry } from './tar.ts'

// A snapshot as people keep it: a gzip tar of meta.json, state.bin and SHA256SUMS, as Consul's are.

const metaName = 'meta.json'
const stateName = 'state.bin'
const sumsName = 'SHA256SUMS'
/** Of the members that are read into memory. */
const textBytesMax = 1024 * 1024

/** The archive of a finished snapshot. It is cut off when the file is not what its description says. */
export function packSnapshot(file: SnapshotFile): Readable {
  const gzip = createGzip()
  // An error ends the stream that is returned, and its reader gets the error.
  pipeline(Readable.from(members(file)), gzip).catch(() => {})
  return gzip
}

async function* members(file: SnapshotFile): AsyncGenerator<Buffer> {
  const { mtimeMs } = await stat(file.path)
  const meta = Buffer.from(JSON.stringify(file.meta))
  const sums = `${sha256(meta)}  ${metaName}\n${file.meta.sha256}  ${stateName}\n`
  yield* textMember(metaName, meta, mtimeMs)
  yield tarHeader(stateName, file.meta.size, mtimeMs)
  const hash = createHash('sha256')
  const source = await SnapshotSource.open(file)
  try {
    for await (const chunk of source.chunks()) {
      hash.update(chunk)
      yield chunk
    }
  } finally {
    await source.close()
  }
  const found = hash.digest('hex')
  if (found !== file.meta.sha256)
    throw unusable(file.path, `its SHA-256 is ${found} instead of ${file.meta.sha256}`)
  yield tarPadding(file.meta.size)
  yield* textMember(sumsName, Buffer.from(sums), mtimeMs)
  yield tarEnd
}

function* textMember(name: string, text: Buffer, modifiedMs: number): Generator<Buffer> {
  yield tarHeader(name, text.length, modifiedMs)
  yield text
  yield tarPadding(text.length)
}

/** The content of an archive, every checksum verified. */
export interface UnpackedSnapshot extends SnapshotFile {
  /** By table. */
  readonly rows: Readonly<Record<string, number>>
}

export interface UnpackOptions {
  /** What the archive is called in errors. */
  readonly name: string
  /** Where its state is put. */
  readonly path: string
  /** Where it is checked: in a thread of its own unless given. */
  readonly run?: RunSnapshotJob
}

/**
 * Takes an archive apart; its state is then the file `path`, a database that was checked through.
 * Rejects with SvcdError `snapshot-unusable`, and leaves nothing then.
 */
export async function unpackSnapshot(
  archive: AsyncIterable<Uint8Array>,
  { name, path, run = inSnapshotThread }: UnpackOptions,
): Promise<UnpackedSnapshot> {
  try {
    const meta = await unpackTo(archive, path)
    const facts = await run({ kind: 'check', path, name })
    checkFacts({ path: name, meta }, facts)
    return { path, meta, rows: facts.rows }
  } catch (error) {
    await rm(path, { force: true })
    if (error instanceof InvariantError || error instanceof SvcdError) throw error
    if (typeof (error as { syscall?: unknown }).syscall === 'string') {
      throw svcdError('snapshot-failed', { reason: reasonOf(error), path }, error)
    }
    throw unusable(name, wordsOf(error))
  }
}

async function unpackTo(
  archive: AsyncIterable<Uint8Array>,
  path: string,
): Promise<SnapshotFileMeta> {
  const gunzip = createGunzip()
  // An error ends the stream that is read, and its reader gets the error.
  pipeline(Readable.from(archive), gunzip).catch(() => {})
  const sums = new Map<string, string>()
  const texts = new Map<string, string>()
  try {
    for await (const entry of readTar(gunzip)) {
      if (sums.has(entry.name)) throw new Error(`it contains ${entry.name} twice`)
      if (entry.name === stateName) sums.set(stateName, await toFile(entry, path))
      else if (entry.name === metaName || entry.name === sumsName) {
        const text = await textOf(entry)
        texts.set(entry.name, text.toString())
        sums.set(entry.name, sha256(text))
      } else throw new Error(`${entry.name} does not belong in a snapshot`)
    }
  } finally {
    gunzip.destroy()
  }
  for (const name of [metaName, stateName, sumsName]) {
    if (!sums.has(name)) throw new Error(`it does not contain ${name}`)
  }
  for (const name of [metaName, stateName]) {
    if (!(texts.get(sumsName) ?? '').split('\n').includes(`${sums.get(name) ?? ''}  ${name}`)) {
      throw new Error(`the checksum of ${name} does not match ${sumsName}`)
    }
  }
  const meta = parseSnapshotMeta(texts.get(metaName) ?? '')
  if (meta === undefined) throw new Error(`${metaName} does not describe a snapshot of svcd`)
  return meta
}

async function toFile(entry: TarEntry, path: string): Promise<string> {
  const hash = createHash('sha256')
  const handle = await open(path, 'w', 0o600)
  try {
    for await (const chunk of entry.body) {
      hash.update(chunk)
      await handle.writeFile(chunk)
    }
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}

async function textOf(entry: TarEntry): Promise<Buffer> {
  if (entry.size > textBytesMax) throw new Error(`${entry.name} is too large`)
  const chunks: Buffer[] = []
  for await (const chunk of entry.body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

function wordsOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  if (code === 'Z_BUF_ERROR') return 'it is truncated'
  if (code === 'Z_DATA_ERROR')
    return `it is not a gzip archive, or it is damaged (${reasonOf(error)})`
  return reasonOf(error)
}

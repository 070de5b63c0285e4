import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import { reasonOf, svcdError, SvcdError } from '../base/errors.ts'
import { visibleLines } from '../base/invisible.ts'
import { agentClient } from './agent-client.ts'
import type { SnapshotInspection } from '../archive/inspection.ts'
import { columns } from './columns.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'
import { addOutputOptions, print, type OutputOptions } from './output.ts'
import { ProgressBar } from './progress-bar.ts'

interface SaveOptions extends ClientOptions {
  readonly stale?: boolean
}

export function saveCommand(io: Io): Command {
  const command = newCommand(
    'snapshot save',
    'Save the state of the cluster to a file, and verify the file: catalog, keys, sessions, prepared queries and events. It ' +
      'includes every write that was acknowledged before the command.',
    io,
  )
    .argument(
      '<file>',
      'The file to write. An existing file is replaced after the new one is verified.',
    )
    .option('--stale', "Save this agent's local copy, which may be older; works without a leader.")
    .action(async (file: string, options: SaveOptions) => {
      const client = await agentClient(options, io)
      const index = await save(client, file, options, io)
      if (options.json === true) printJson(io, { file, index })
      else io.out(`Saved and verified snapshot to index ${index}\n`)
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd snapshot save backup.snap',
    'svcd snapshot save -stale last.snap',
  ])
}

/** The file gets its name when it is complete and its checksums are verified. */
async function save(client: Client, file: string, options: SaveOptions, io: Io): Promise<number> {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    // Before the request, so that the agent does not send a snapshot that cannot be written.
    await writeFile(temporary, '', { mode: 0o600 })
    const { index, stateBytes, archive } = await client.snapshot({ stale: options.stale === true })
    await download(archive, temporary, new ProgressBar('Saving', stateBytes, io.drawn))
    const { inspectSnapshot } = await import('../archive/inspection.ts')
    await inspectSnapshot(temporary)
    await rename(temporary, file)
    return index
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof SvcdError) throw error
    throw svcdError('file-unwritable', { path: file, reason: reasonOf(error) }, error)
  }
}

async function download(
  archive: AsyncIterable<Uint8Array>,
  path: string,
  bar: ProgressBar,
): Promise<void> {
  // Only the size of the uncompressed state is known in advance, so the bytes are counted uncompressed.
  const counted = createGunzip()
  counted.on('data', (chunk: Buffer) => bar.add(chunk.length))
  // The verification finds a damaged archive.
  counted.on('error', () => {})
  const counting = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive) {
      counted.write(chunk)
      yield chunk
    }
  }
  await pipeline(counting, createWriteStream(path, { flush: true }))
  await new Promise<void>((resolve) => {
    counted.once('close', resolve)
    counted.end()
  })
  bar.end()
}

export function restoreCommand(io: Io): Command {
  const command = newCommand(
    'snapshot restore',
    'Restore the state of the whole cluster from a file of `svcd snapshot save`. It writes entries that differ and removes ' +
      'entries that are not in the file. Services of running agents keep their current registration. If the command is ' +
      'interrupted, run it again.',
    io,
  )
    .argument('<file>', 'The file to restore.')
    .action(async (file: string, options: ClientOptions) => {
      const client = await agentClient(options, io)
      const bar = new ProgressBar('Restoring', await sizeOf(file), io.drawn)
      await client.restore(upload(file, bar))
      if (options.json === true) printJson(io, { file, restored: true })
      else io.out('Restored snapshot\n')
    })
  addClientOptions(command)
  return addExamples(command, ['svcd snapshot restore backup.snap'])
}

async function* upload(path: string, bar: ProgressBar): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path)) {
    const bytes = chunk as Buffer
    yield bytes
    bar.add(bytes.length)
  }
  bar.end()
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    throw svcdError('snapshot-unusable', { file: path, reason: reasonOf(error) }, error)
  }
}

export function inspectCommand(io: Io): Command {
  const command = newCommand(
    'snapshot inspect',
    'Verify a file of `svcd snapshot save`, and show its content. This works without an agent.',
    io,
  )
    .argument('<file>', 'The file to inspect.')
    .option('--json', 'Print JSON.')
    .action(async (file: string, options: OutputOptions) => {
      const { inspectSnapshot } = await import('../archive/inspection.ts')
      const found = await inspectSnapshot(file)
      const names = Object.keys(found.rows)
      await print(io, options, { data: found, names, text: () => visibleLines(text(found)) })
    })
  addOutputOptions(command)
  return addExamples(command, ['svcd snapshot inspect backup.snap'])
}

function text(found: SnapshotInspection): string {
  const { index, term, clusterId, epoch, schemaVersion, size, servers, rows } = found
  const facts: readonly (readonly [string, string | number])[] = [
    ['ID', `${term}-${index}`],
    ['Size', size],
    ['Index', index],
    ['Term', term],
    ['Version', schemaVersion],
    ['Cluster', clusterId],
    ['Epoch', epoch],
    ['Servers', servers.join(', ')],
  ]
  const lines = facts.map(([name, value]) => `${name.padEnd(13)}${value}\n`).join('')
  const counts = Object.entries(rows).map(([name, count]) => [name, String(count)])
  return `${lines}\n${columns(['Table', 'Rows'], counts)}`
}

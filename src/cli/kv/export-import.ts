import type { Command } from 'commander'
import { reasonOf, svcdError } from '../../base/errors.ts'
import { visible, visibleJson } from '../../base/invisible.ts'
import { withTextFlags } from '../../client/text-flags.ts'
import type { KvEntry } from '../../client/kv.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import { dataOf, fromBase64 } from './data.ts'
import { addDatacenter, addKvReadOptions, kvClient, withoutSlash } from './kv-options.ts'
import type { KvOptions } from './kv-options.ts'

export function kvExportCommand(io: Io): Command {
  const command = newCommand(
    'kv export',
    'Print all keys that begin with a prefix as JSON, which `svcd kv import` and `consul kv import` read.',
    io,
  )
    .argument('[prefix]', 'The prefix. (default: the whole tree)')
    .action(async (given: string | undefined, options: KvOptions) => {
      const client = await kvClient(options, io)
      const entries = await client.entries(withoutSlash(given ?? ''), options)
      io.out(`${exported(entries)}\n`)
    })
  addKvReadOptions(command)
  addClientOptions(command)
  return addExamples(command, ['svcd kv export config/ > config.json', 'svcd kv export > all.json'])
}

/** As Consul writes it. The flags stand there as numbers, which JavaScript does not hold. */
function exported(entries: readonly KvEntry[]): string {
  if (entries.length === 0) return '[]'
  const rows = entries.map(
    ({ key, flags, value }) =>
      `\t{\n\t\t"key": ${visibleJson(JSON.stringify(key))},\n\t\t"flags": ${flags},\n` +
      `\t\t"value": "${value.toString('base64')}"\n\t}`,
  )
  return `[\n${rows.join(',\n')}\n]`
}

interface Imported {
  readonly key: string
  readonly flags: string
  readonly value: Buffer
}

export function kvImportCommand(io: Io): Command {
  const command = newCommand(
    'kv import',
    'Write keys from the output of `svcd kv export` or `consul kv export`. All of it is checked before the first ' +
      'key is written. Other keys stay as they are. If the command is interrupted, run it again.',
    io,
  )
    .argument('<data>', 'The JSON: @file for a file, - for standard input, or its text.')
    .action(async (data: string, options: KvOptions) => {
      const entries = importedFrom((await dataOf(data, io)).toString())
      const client = await kvClient(options, io)
      const { datacenter } = options
      for (const { key, flags, value } of entries) {
        await client.put(key, value, { flags, datacenter })
        if (options.json !== true) io.out(`Imported: ${visible(key)}\n`)
      }
      if (options.json === true) printJson(io, { imported: entries.map(({ key }) => key) })
    })
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, [
    'svcd kv import @config.json',
    'consul kv export | svcd kv import -',
  ])
}

/** Throws `import-invalid`. */
function importedFrom(text: string): readonly Imported[] {
  let list: unknown
  try {
    list = JSON.parse(withTextFlags(text, 'flags'))
  } catch (error) {
    throw invalid(reasonOf(error))
  }
  if (!Array.isArray(list)) throw invalid('it is not a list')
  return list.map(importedOf)
}

function importedOf(item: unknown, at: number): Imported {
  const row = `entry ${at + 1}`
  if (typeof item !== 'object' || item === null) throw invalid(`${row} is not an object`)
  // As Go's decoder: names in any case.
  const fields = new Map(Object.entries(item).map(([name, value]) => [name.toLowerCase(), value]))
  const { key, flags, value } = {
    key: fields.get('key') as unknown,
    flags: (fields.get('flags') ?? '0') as unknown,
    value: (fields.get('value') ?? '') as unknown,
  }
  if (typeof key !== 'string' || key === '') throw invalid(`${row} has no key`)
  const ofKey = `the key ${JSON.stringify(key)}`
  if (key.startsWith('/')) throw invalid(`${ofKey} begins with a slash`)
  // Every number became a text.
  const isFlags = typeof flags === 'string' && /^\d+$/.test(flags) && BigInt(flags) < 2n ** 64n
  if (!isFlags) throw invalid(`the flags of ${ofKey} are not a whole number from 0 to 2^64-1`)
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined
  if (bytes === undefined) throw invalid(`the value of ${ofKey} is not base64`)
  return { key, flags, value: bytes }
}

function invalid(reason: string): Error {
  return svcdError('import-invalid', { reason })
}

import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { visible, visibleJson } from '../../base/invisible.ts'
import type { KvEntry } from '../../client/kv.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import { writeValue } from './data.ts'
import { addKvReadOptions, kvClient, usage, withoutSlash } from './kv-options.ts'
import type { KvOptions } from './kv-options.ts'

interface GetOptions extends KvOptions {
  readonly recurse?: boolean
  readonly keys?: boolean
  readonly separator: string
  readonly detailed?: boolean
  readonly base64?: boolean
}

export function kvGetCommand(io: Io): Command {
  const command = newCommand(
    'kv get',
    'Print the value of a key, or list the keys that begin with a prefix. The value is printed as it is, with a ' +
      'line break at its end.',
    io,
  )
    .argument('[key]', 'The key, or with --recurse or --keys a prefix. (default: the whole tree)')
    .option('--recurse', 'Print all keys that begin with the prefix, as key:value.')
    .option('--keys', 'Print only the keys that begin with the prefix.')
    .option(
      '--separator <text>',
      'With --keys: cut each key at the first separator after the prefix. An empty one lists whole keys.',
      '/',
    )
    .option('--detailed', 'Print the indexes, flags and lock of each key, too.')
    .option('--base64', 'Print values in base64.')
    .action(async (given: string | undefined, options: GetOptions) => {
      const key = withoutSlash(given ?? '')
      if (options.keys === true) return listKeys(key, options, io)
      if (options.recurse === true) return listEntries(key, options, io)
      if (key === '') throw usage('Name a key, or use --recurse or --keys.', 'kv get')
      return getOne(key, options, io)
    })
  addKvReadOptions(command)
  addClientOptions(command)
  return addExamples(command, [
    'svcd kv get config/db/port',
    'svcd kv get -detailed config/db/port',
    'svcd kv get -recurse config/',
    'svcd kv get -keys config/',
  ])
}

async function getOne(key: string, options: GetOptions, io: Io): Promise<void> {
  const entry = await (await kvClient(options, io)).entry(key, options)
  if (entry === undefined) throw svcdError('no-such-key', { key })
  if (options.json === true) return printEntries(io, [entry])
  if (options.detailed === true) return writeValue(io, detailed(entry, options))
  writeValue(io, [valueOf(entry, options), '\n'])
}

async function listKeys(prefix: string, options: GetOptions, io: Io): Promise<void> {
  const keys = await (await kvClient(options, io)).keys(prefix, options.separator, options)
  if (options.json === true) return printJson(io, keys)
  io.out(keys.map((key) => `${visible(key)}\n`).join(''))
}

async function listEntries(prefix: string, options: GetOptions, io: Io): Promise<void> {
  const entries = await (await kvClient(options, io)).entries(prefix, options)
  if (options.json === true) return printEntries(io, entries)
  for (const [at, entry] of entries.entries()) {
    const parts = options.detailed === true ? detailed(entry, options) : line(entry, options)
    writeValue(io, options.detailed === true && at > 0 ? ['\n', ...parts] : parts)
  }
}

type Parts = readonly (string | Buffer)[]

function line(entry: KvEntry, options: GetOptions): Parts {
  return [`${visible(entry.key)}:`, valueOf(entry, options), '\n']
}

/** As Consul's: names in a column of 17 characters, the value last. */
function detailed(entry: KvEntry, options: GetOptions): Parts {
  const fields: readonly (readonly [string, string | number])[] = [
    ['CreateIndex', entry.createIndex],
    ['Flags', entry.flags],
    ['Key', visible(entry.key)],
    ['LockIndex', entry.lockIndex],
    ['ModifyIndex', entry.modifyIndex],
    ['Session', entry.session === '' ? '-' : visible(entry.session)],
  ]
  const lines = fields.map(([name, value]) => `${name.padEnd(17)}${value}\n`).join('')
  const isEmpty = entry.value.length === 0
  return [lines, isEmpty ? 'Value' : 'Value'.padEnd(17), valueOf(entry, options), '\n']
}

function valueOf({ value }: KvEntry, { base64 }: GetOptions): string | Buffer {
  return base64 === true ? value.toString('base64') : value
}

/** As the API has them. Flags are numbers that JavaScript does not hold, so they are put in as text. */
function printEntries(io: Io, entries: readonly KvEntry[]): void {
  const rows = entries.map((entry) => ({
    LockIndex: entry.lockIndex,
    Key: entry.key,
    Flags: entry.flags,
    Value: entry.value.length === 0 ? null : entry.value.toString('base64'),
    ...(entry.session !== '' && { Session: entry.session }),
    CreateIndex: entry.createIndex,
    ModifyIndex: entry.modifyIndex,
  }))
  const json = JSON.stringify(rows, null, 2).replaceAll(/^( *"Flags": )"(\d+)"/gm, '$1$2')
  io.out(`${visibleJson(json)}\n`)
}

import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import { dataOf, fromBase64 } from './data.ts'
import {
  addCasOptions,
  addDatacenter,
  casOf,
  kvClient,
  unsigned,
  writableKey,
} from './kv-options.ts'
import type { CasOptions, KvOptions } from './kv-options.ts'

interface PutOptions extends KvOptions, CasOptions {
  readonly flags?: string
  readonly base64?: boolean
}

export function kvPutCommand(io: Io): Command {
  const command = newCommand(
    'kv put',
    'Write the value of a key. A value has at most 512 KiB and may contain any bytes.',
    io,
  )
    .argument('<key>', 'The key, such as config/db/port.')
    .argument(
      '[data]',
      'The value: its text, @file for the content of a file, or - for standard input. (default: empty)',
    )
    .option(
      '--flags <number>',
      'A number from 0 to 2^64-1 that is stored with the value, for your own use. (default: 0)',
    )
    .option('--base64', 'The data is base64, and its bytes are stored.')
    .action(async (given: string, data: string | undefined, options: PutOptions) => {
      const key = writableKey(given, 'kv put')
      const cas = casOf(options, 'kv put')
      const flags = options.flags === undefined ? undefined : unsigned(options.flags, '--flags')
      const value = await valueOf(data ?? '', options, io)
      const { datacenter } = options
      const client = await kvClient(options, io)
      const isWritten = await client.put(key, value, { flags, cas, datacenter })
      if (!isWritten) throw svcdError('key-not-written', { key, index: cas ?? '' })
      if (options.json === true) printJson(io, { key, written: true })
      else io.out(`Success! Data written to: ${visible(key)}\n`)
    })
  addCasOptions(command, 'Write only if')
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, [
    'svcd kv put config/db/port 5432',
    'svcd kv put config/db/ca @ca.pem',
    'echo shop | svcd kv put config/db/name -',
    'svcd kv put -cas -modify-index=42 config/db/port 5433',
  ])
}

async function valueOf(data: string, { base64 }: PutOptions, io: Io): Promise<Buffer> {
  const bytes = await dataOf(data, io)
  if (base64 !== true) return bytes
  const decoded = fromBase64(bytes.toString().trim())
  if (decoded !== undefined) return decoded
  throw svcdError('value-unreadable', { source: 'the argument', reason: 'it is not base64' })
}

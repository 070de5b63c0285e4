import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import { addCasOptions, addDatacenter, casOf, kvClient, usage, withoutSlash } from './kv-options.ts'
import type { CasOptions, KvOptions } from './kv-options.ts'

interface DeleteOptions extends KvOptions, CasOptions {
  readonly recurse?: boolean
}

export function kvDeleteCommand(io: Io): Command {
  const command = newCommand(
    'kv delete',
    'Delete a key, or all keys that begin with a prefix. It also succeeds if the key does not exist.',
    io,
  )
    .argument(
      '[key]',
      'The key, or with --recurse a prefix. (default with --recurse: the whole tree)',
    )
    .option('--recurse', 'Delete all keys that begin with the prefix.')
    .action(async (given: string | undefined, options: DeleteOptions) => {
      const key = withoutSlash(given ?? '')
      const cas = casOf(options, 'kv delete')
      if (options.recurse === true) {
        if (cas !== undefined) throw usage('Use either --cas or --recurse, not both.', 'kv delete')
        await (await kvClient(options, io)).deleteTree(key, options)
        if (options.json === true) return printJson(io, { prefix: key, deleted: true })
        return io.out(`Success! Deleted keys with prefix: ${visible(key)}\n`)
      }
      if (key === '') throw usage('Name a key, or use --recurse.', 'kv delete')
      return deleteOne(key, cas, options, io)
    })
  addCasOptions(command, 'Delete only if')
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, [
    'svcd kv delete config/db/port',
    'svcd kv delete -recurse config/',
    'svcd kv delete -cas -modify-index=42 config/db/port',
  ])
}

async function deleteOne(
  key: string,
  cas: string | undefined,
  options: DeleteOptions,
  io: Io,
): Promise<void> {
  const { datacenter } = options
  const isDeleted = await (await kvClient(options, io)).delete(key, { cas, datacenter })
  if (!isDeleted) throw svcdError('key-not-deleted', { key, index: cas ?? '' })
  if (options.json === true) printJson(io, { key, deleted: true })
  else io.out(`Success! Deleted key: ${visible(key)}\n`)
}

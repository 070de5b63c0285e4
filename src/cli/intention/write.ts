import { Option, type Command } from 'commander'
import { reasonOf, svcdError } from '../../base/errors.ts'
import { isObject } from '../../base/shape.ts'
import type { IntentionEntry } from '../../client/intention.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, collect, newCommand, printJson } from '../new-command.ts'
import { metadataPairs } from '../metadata-pairs.ts'
import { addDatacenter, definitionFrom } from '../query/query-options.ts'
import {
  destinationOf,
  intentionClient,
  lineOf,
  named,
  onlyOne,
  sourceOf,
  sourceOrId,
} from './intention-options.ts'
import type { IntentionCommandOptions } from './intention-options.ts'

interface CreateOptions extends IntentionCommandOptions {
  readonly allow?: boolean
  readonly deny?: boolean
  readonly file?: boolean
  readonly replace?: boolean
  readonly meta?: readonly string[]
}

/** The body of a request: at least the names and the action. */
type Definition = Partial<IntentionEntry>

export function intentionCreateCommand(io: Io): Command {
  const command = newCommand(
    'intention create',
    'Say that one service may call another, or may not. svcd only stores this: a proxy or an application has to enforce it.',
    io,
  )
    .argument(
      '<names...>',
      'The source and the destination: services, or * for all. With -file: files.',
    )
    .option('--allow', 'The source may call the destination. (default)')
    .option('--deny', 'The source may not call the destination.')
    .option('--file', 'Read intentions as JSON from files, or from standard input as -.')
    .option('--replace', 'Replace an intention with the same source and destination.')
    .addOption(
      new Option('--meta <key=value>', 'A metadata pair of the intention. Repeatable.').argParser(
        collect,
      ),
    )
    .action(async (names: readonly string[], options: CreateOptions) => {
      onlyOne('-allow', options.allow, '-deny', options.deny)
      const definitions =
        options.file === true ? await fromFiles(names, io) : [fromNames(names, options)]
      for (const definition of definitions) await create(definition, options, io)
    })
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, [
    'svcd intention create web db',
    "svcd intention create -deny '*' db",
    'svcd intention create -replace -deny -meta owner=ops web db',
    'svcd intention create -file web-db.json',
  ])
}

async function create(definition: Definition, options: CreateOptions, io: Io): Promise<void> {
  const client = await intentionClient(options, io)
  const entry = whole(definition)
  const body = JSON.stringify(definition)
  if (options.replace === true) {
    await client.replace(sourceOf(entry), destinationOf(entry), body, options)
  } else {
    await client.create(body, options)
  }
  if (options.json !== true)
    return io.out(`${options.replace === true ? 'Stored' : 'Created'}: ${lineOf(entry)}\n`)
  printJson(io, await client.between(sourceOf(entry), destinationOf(entry), options))
}

/** With Consul's defaults for what a message says of it. */
function whole(definition: Definition): IntentionEntry {
  const { SourceNS = 'default', DestinationNS = 'default' } = definition
  return {
    ID: '',
    Description: '',
    Meta: {},
    Precedence: 0,
    CreatedAt: '',
    UpdatedAt: '',
    SourceName: '',
    DestinationName: '',
    Action: '',
    ...definition,
    SourceNS,
    DestinationNS,
  }
}

/** Throws `usage`. */
function fromNames(names: readonly string[], { deny, meta }: CreateOptions): Definition {
  const [source, destination, ...more] = names
  if (source === undefined || destination === undefined || more.length > 0) {
    throw svcdError('usage', { reason: 'Must specify two arguments: source and destination.' })
  }
  const [from, to] = [parts(source), parts(destination)]
  return {
    ...(from.namespace !== undefined && { SourceNS: from.namespace }),
    SourceName: from.name,
    ...(to.namespace !== undefined && { DestinationNS: to.namespace }),
    DestinationName: to.name,
    Action: deny === true ? 'deny' : 'allow',
    ...(meta !== undefined && { Meta: metadataPairs(meta) }),
  }
}

/** Throws `usage`. */
function parts(text: string): { readonly name: string; readonly namespace?: string } {
  const [one = '', two, ...more] = text.split('/')
  if (more.length > 0) {
    const reason = `"${text}" has more than one slash; write SERVICE or NAMESPACE/SERVICE.`
    throw svcdError('usage', { reason })
  }
  return two === undefined ? { name: one } : { name: two, namespace: one }
}

/** All are read before the first is created. Throws `definition-unreadable`. */
async function fromFiles(paths: readonly string[], io: Io): Promise<readonly Definition[]> {
  const found: Definition[] = []
  for (const path of paths) {
    const text = await definitionFrom(path, io)
    try {
      const definition: unknown = JSON.parse(text)
      if (!isObject(definition)) throw new Error('it is not a JSON object')
      found.push(definition)
    } catch (error) {
      throw svcdError('definition-unreadable', { source: path, reason: reasonOf(error) }, error)
    }
  }
  return found
}

export function intentionDeleteCommand(io: Io): Command {
  const command = newCommand('intention delete', 'Delete an intention.', io)
    .argument('<source>', sourceOrId)
    .argument('[destination]', 'The destination: a service, or * for all services.')
    .action(
      async (source: string, destination: string | undefined, options: IntentionCommandOptions) => {
        const client = await intentionClient(options, io)
        const entry = await named(client, source, destination, options)
        await client.delete(entry.ID, options)
        if (options.json === true) printJson(io, { ID: entry.ID, deleted: true })
        else io.out(`Intention deleted: ${lineOf(entry)}\n`)
      },
    )
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, ['svcd intention delete web db'])
}

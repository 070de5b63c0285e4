import { Option, type Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import { isUuid } from '../../base/uuid.ts'
import { AclClient } from '../../client/acl.ts'
import type { AclKind, AclKinds } from '../../client/acl-rows.ts'
import { agentClient } from '../agent-client.ts'
import type { Io } from '../io.ts'
import { addClientOptions } from '../new-command.ts'
import type { ClientOptions } from '../new-command.ts'
import { addOutputOptions, outputFormat, print, printList } from '../output.ts'
import type { Column, OutputOptions } from '../output.ts'

export interface AclOptions extends ClientOptions, OutputOptions {
  readonly format?: string
  readonly meta?: boolean
}

/** The options of every command of access control. */
export function addAclOptions(command: Command): Command {
  addClientOptions(command)
  addOutputOptions(command)
  return command
    .addOption(
      new Option('--format <format>', "Consul's name of -o: pretty or json.")
        .choices(['pretty', 'json'])
        .helpGroup('Output options:'),
    )
    .addOption(new Option('--meta', 'Also show hashes and indexes.').helpGroup('Output options:'))
}

export async function aclClient(options: ClientOptions, io: Io): Promise<AclClient> {
  return new AclClient(await agentClient(options, io))
}

/** As `-o`, whichever of the two options was given. */
export function outputOptions(options: AclOptions): OutputOptions {
  return options.format === 'json' ? { ...options, json: true } : options
}

export interface Shown {
  readonly data: unknown
  readonly name: string
  /** For people; `visible` already. */
  readonly text: string
}

/** Prints one object in the format that the options choose. */
export function printOne(io: Io, options: AclOptions, { data, name, text }: Shown): Promise<void> {
  return print(io, outputOptions(options), { data, names: [name], text: () => text })
}

/** What a list shows, beside its rows. */
export interface Listed<T> {
  readonly columns: readonly Column<T>[]
  readonly nameOf: (row: T) => string
}

/** Prints all objects of a kind in the format that the options choose. */
export async function printAll<K extends AclKind>(
  io: Io,
  options: AclOptions,
  kind: K,
  listed: Listed<AclKinds[K]>,
): Promise<void> {
  const output = outputOptions(options)
  // A wrong format is reported before the agent is asked.
  outputFormat(output)
  const rows = (await (await aclClient(options, io)).list(kind)).map(withoutSecret)
  const shown = options.meta === true ? { ...output, wide: true } : output
  await printList(io, shown, { data: rows, rows, ...listed })
}

/** Only those who read a single token see its secret. */
function withoutSecret<T extends object>(entry: T): T {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'SecretID')) as T
}

/** Prints what was deleted. */
export function printDeleted(
  io: Io,
  options: AclOptions,
  what: { readonly kind: AclKind; readonly id: string; readonly shown: string },
): Promise<void> {
  const { kind, id, shown } = what
  const text = `Deleted ${kind}: ${visible(shown)}\n`
  return printOne(io, options, { data: { ID: id, deleted: true }, name: id, text })
}

/** An ID from its first characters. Rejects with `acl-id-unknown` or `acl-id-ambiguous`. */
export async function wholeIdOf(client: AclClient, kind: AclKind, given: string): Promise<string> {
  if (isUuid(given)) return given.toLowerCase()
  const found = (await client.list(kind))
    .map(idOf)
    .filter((id) => id.startsWith(given.toLowerCase()))
  const [id, ...others] = found
  if (given === '' || id === undefined) throw svcdError('acl-id-unknown', { kind, id: given })
  if (others.length === 0) return id
  const ids = [...found.slice(0, shownIdsMax), ...(found.length > shownIdsMax ? ['…'] : [])]
  throw svcdError('acl-id-ambiguous', { id: given, ids: ids.join(', ') })
}

const shownIdsMax = 5

function idOf(entry: AclKinds[AclKind]): string {
  return 'AccessorID' in entry ? entry.AccessorID : entry.ID
}

export interface NamedOptions extends AclOptions {
  readonly id?: string
  readonly name?: string
}

/** The policy or role that `-id` or `-name` names. Throws `usage` if neither is given. */
export async function namedEntry<K extends 'policy' | 'role'>(
  client: AclClient,
  kind: K,
  { id, name }: { readonly id?: string | undefined; readonly name?: string | undefined },
): Promise<AclKinds[K]> {
  if (id !== undefined) return client.read(kind, await wholeIdOf(client, kind, id))
  if (name !== undefined) return client.readNamed(kind, name)
  throw svcdError('usage', { reason: `Name the ${kind}: -id ID or -name NAME.` })
}

/** The value of an option. Throws `usage` if it is missing or empty. */
export function required(value: string | undefined, reason: string): string {
  if (value === undefined || value === '') throw svcdError('usage', { reason })
  return value
}

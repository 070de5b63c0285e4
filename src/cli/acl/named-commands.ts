import type { Command } from 'commander'
import type { AclKinds } from '../../client/acl-rows.ts'
import type { Io } from '../io.ts'
import { addExamples, newCommand } from '../new-command.ts'
import type { Column } from '../output.ts'
import {
  aclClient,
  addAclOptions,
  namedEntry,
  printAll,
  printDeleted,
  printOne,
} from './acl-options.ts'
import type { AclOptions, NamedOptions } from './acl-options.ts'

interface Help {
  readonly summary: string
  readonly examples: readonly string[]
}

/** What the commands need to know of policies or of roles. */
interface Named<K extends 'policy' | 'role'> {
  readonly kind: K
  readonly columns: readonly Column<AclKinds[K]>[]
  /** One of them, for people. */
  readonly textOf: (entry: AclKinds[K], isMeta?: boolean) => string
  readonly list: Help
  readonly read: Help
  readonly delete: Help
}

/** The commands that are the same for policies and roles, which both have an ID and a name. */
export class NamedCommands<K extends 'policy' | 'role'> {
  readonly #named: Named<K>

  constructor(named: Named<K>) {
    this.#named = named
  }

  list(io: Io): Command {
    const { kind, columns, list } = this.#named
    const listed = { columns, nameOf: ({ Name }: AclKinds[K]): string => Name }
    const command = newCommand(`acl ${kind} list`, list.summary, io).action(
      async (options: AclOptions) => printAll(io, options, kind, listed),
    )
    addAclOptions(command)
    return addExamples(command, list.examples)
  }

  read(io: Io): Command {
    const { kind, read } = this.#named
    const command = newCommand(`acl ${kind} read`, read.summary, io).action(
      async (options: NamedOptions) => {
        const client = await aclClient(options, io)
        await this.print(io, options, await namedEntry(client, kind, options))
      },
    )
    return this.#finish(command, read.examples)
  }

  delete(io: Io): Command {
    const { kind, delete: help } = this.#named
    const command = newCommand(`acl ${kind} delete`, help.summary, io).action(
      async (options: NamedOptions) => {
        const client = await aclClient(options, io)
        const { ID: id, Name } = await namedEntry(client, kind, options)
        await client.delete(kind, id)
        await printDeleted(io, options, { kind, id, shown: `${Name} (${id})` })
      },
    )
    return this.#finish(command, help.examples)
  }

  print(io: Io, options: AclOptions, entry: AclKinds[K]): Promise<void> {
    const text = this.#named.textOf(entry, options.meta)
    return printOne(io, options, { data: entry, name: entry.Name, text })
  }

  /** Adds the options of a command about one of them. */
  #finish(command: Command, examples: readonly string[]): Command {
    const { kind } = this.#named
    command
      .option('--id <id>', `The ID of the ${kind}, or its first characters.`)
      .option('--name <name>', `The name of the ${kind}.`)
    addAclOptions(command)
    return addExamples(command, examples)
  }
}

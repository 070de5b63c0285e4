import type { Command } from 'commander'
import type { TokenEntry } from '../../client/acl-rows.ts'
import type { Io } from '../io.ts'
import { addExamples, newCommand } from '../new-command.ts'
import { aclClient, addAclOptions, printAll, printOne } from './acl-options.ts'
import type { AclOptions } from './acl-options.ts'
import { tokenColumns, tokenText } from './acl-text.ts'
import { addTokenId, tokenIdOf } from './token-write.ts'
import type { TokenIdOptions } from './token-write.ts'

interface ReadOptions extends AclOptions, TokenIdOptions {
  readonly self?: boolean
}

export function tokenReadCommand(io: Io): Command {
  const command = newCommand(
    'acl token read',
    'Show one token. Its secret is shown only for a short time after its creation.',
    io,
  )
    .option('--self', 'The token that this command sends.')
    .action(async (options: ReadOptions) => {
      const client = await aclClient(options, io)
      const token =
        options.self === true
          ? await client.self()
          : await client.read('token', await tokenIdOf(client, options))
      const text = tokenText(token, options.meta)
      await printOne(io, options, { data: token, name: token.AccessorID, text })
    })
  addTokenId(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl token read -id 986193b5', 'svcd acl token read -self'])
}

const listed = {
  columns: tokenColumns,
  nameOf: ({ AccessorID }: TokenEntry): string => AccessorID,
}

export function tokenListCommand(io: Io): Command {
  const command = newCommand(
    'acl token list',
    'List the tokens, without their secrets.',
    io,
  ).action(async (options: AclOptions) => printAll(io, options, 'token', listed))
  addAclOptions(command)
  return addExamples(command, ['svcd acl token list', 'svcd acl token list -o wide'])
}

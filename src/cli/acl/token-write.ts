import type { Command } from 'commander'
import type { TokenEntry } from '../../client/acl-rows.ts'
import type { AclClient } from '../../client/acl.ts'
import type { Io } from '../io.ts'
import { addExamples, newCommand } from '../new-command.ts'
import {
  aclClient,
  addAclOptions,
  printDeleted,
  printOne,
  required,
  wholeIdOf,
} from './acl-options.ts'
import type { AclOptions } from './acl-options.ts'
import { tokenText } from './acl-text.ts'
import { addTokenGrantsOptions, grantsOf, mergedIdentities, mergedLinks } from './grants-options.ts'
import type { TokenGrantsOptions } from './grants-options.ts'

interface CreateOptions extends AclOptions, TokenGrantsOptions {
  readonly description?: string
  readonly local?: boolean
  readonly ttl?: string
  readonly expiresTtl?: string
  readonly accessor?: string
  readonly secret?: string
}

export function tokenCreateCommand(io: Io): Command {
  const command = newCommand(
    'acl token create',
    'Create a token, and print its secret. svcd stores only a hash of the secret.',
    io,
  )
    .option('--description <text>', 'What the token is for.')
    .option('--local', 'The token counts in this datacenter only.')
    .option(
      '--ttl <duration>',
      'The token expires after this time, from 1m to 24h. (default: never)',
    )
    .option('--expires-ttl <duration>', "Consul's name of --ttl.")
    .option('--accessor <uuid>', 'The public ID of the token. (default: a random one)')
    .option(
      '--secret <uuid>',
      'The secret. Other users of the machine may see it in the process list. (default: a random one)',
    )
    .action(async (options: CreateOptions) => {
      const { description = '', local = false, accessor, secret } = options
      const ttl = options.ttl ?? options.expiresTtl
      const fields = {
        Description: description,
        Local: local,
        ...(accessor !== undefined && { AccessorID: accessor }),
        ...(secret !== undefined && { SecretID: secret }),
        ...(ttl !== undefined && { ExpirationTTL: ttl }),
        ...grantsOf(options),
      }
      await printToken(io, options, await (await aclClient(options, io)).create('token', fields))
    })
  addTokenGrantsOptions(command)
  addAclOptions(command)
  return addExamples(command, [
    'svcd acl token create -description "web on n1" -service-identity web',
    'svcd acl token create -description "agent of n1" -node-identity n1:dc1',
    'svcd acl token create -policy-name builtin/global-read-only',
  ])
}

interface UpdateOptions extends AclOptions, TokenGrantsOptions, TokenIdOptions {
  readonly description?: string
  readonly mergePolicies?: boolean
  readonly mergeRoles?: boolean
  readonly mergeServiceIdentities?: boolean
  readonly mergeNodeIdentities?: boolean
  /** False with --no-merge. */
  readonly merge: boolean
}

export function tokenUpdateCommand(io: Io): Command {
  const command = newCommand(
    'acl token update',
    'Change a token. A list that you give replaces the present one. What you do not give stays as it is.',
    io,
  )
    .option('--description <text>', 'What the token is for.')
    .option('--merge-policies', 'Add the policies to the present ones.')
    .option('--merge-roles', 'Add the roles to the present ones.')
    .option('--merge-service-identities', 'Add the service identities to the present ones.')
    .option('--merge-node-identities', 'Add the node identities to the present ones.')
    .option('--no-merge', 'What you do not give becomes empty.')
    .action(async (options: UpdateOptions) => {
      const client = await aclClient(options, io)
      const token = await givenToken(client, options)
      const fields = updated(token, options)
      const { SecretID: _, ...shown } = await client.update('token', token.AccessorID, fields)
      await printToken(io, options, shown)
    })
  addTokenId(command)
  addTokenGrantsOptions(command)
  addAclOptions(command)
  return addExamples(command, [
    'svcd acl token update -id 986193b5 -policy-name web-write -merge-policies',
    'svcd acl token update -id anonymous -policy-name dns-read',
  ])
}

/** The body of the update. The secret stays as it is, and is not sent. */
function updated(token: TokenEntry, options: UpdateOptions): object {
  const { description, mergePolicies, mergeRoles } = options
  const { mergeServiceIdentities, mergeNodeIdentities } = options
  const given = grantsOf(options)
  const { AccessorID, Local, ExpirationTime } = token
  const kept: Partial<TokenEntry> = options.merge ? token : {}
  const { Policies, Roles, ServiceIdentities, NodeIdentities } = kept
  return {
    AccessorID,
    Local,
    ...(ExpirationTime !== undefined && { ExpirationTime }),
    Description: description ?? kept.Description ?? '',
    Policies: mergePolicies ? mergedLinks(Policies, given.Policies) : (given.Policies ?? Policies),
    Roles: mergeRoles ? mergedLinks(Roles, given.Roles) : (given.Roles ?? Roles),
    ServiceIdentities: mergeServiceIdentities
      ? mergedIdentities(ServiceIdentities, given.ServiceIdentities)
      : (given.ServiceIdentities ?? ServiceIdentities),
    NodeIdentities: mergeNodeIdentities
      ? mergedIdentities(NodeIdentities, given.NodeIdentities)
      : (given.NodeIdentities ?? NodeIdentities),
  }
}

interface CloneOptions extends AclOptions, TokenIdOptions {
  readonly description?: string
}

export function tokenCloneCommand(io: Io): Command {
  const command = newCommand(
    'acl token clone',
    'Create a token that may do the same as another one, and print its secret.',
    io,
  )
    .option('--description <text>', 'What the new token is for. (default: as the other one)')
    .action(async (options: CloneOptions) => {
      const { description } = options
      const client = await aclClient(options, io)
      const id = await tokenIdOf(client, options)
      const fields = description === undefined ? {} : { Description: description }
      await printToken(io, options, await client.clone(id, fields))
    })
  addTokenId(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl token clone -id 986193b5 -description "web on n2"'])
}

export function tokenDeleteCommand(io: Io): Command {
  const command = newCommand(
    'acl token delete',
    'Delete a token. Requests with its secret fail from then on.',
    io,
  ).action(async (options: AclOptions & TokenIdOptions) => {
    const client = await aclClient(options, io)
    const id = await tokenIdOf(client, options)
    await client.delete('token', id)
    await printDeleted(io, options, { kind: 'token', id, shown: id })
  })
  addTokenId(command)
  addAclOptions(command)
  return addExamples(command, ['svcd acl token delete -id 986193b5'])
}

export interface TokenIdOptions {
  readonly id?: string
  readonly accessorId?: string
}

export function addTokenId(command: Command): Command {
  return command
    .option('--id <accessor-id>', 'The accessor ID of the token, or its first characters.')
    .option('--accessor-id <accessor-id>', "Consul's newer name of --id.")
}

const anonymousId = '00000000-0000-0000-0000-000000000002'

/** The accessor ID that the options name. Throws `usage` without one. */
export async function tokenIdOf(
  client: AclClient,
  { id, accessorId }: TokenIdOptions,
): Promise<string> {
  const given = required(id ?? accessorId, 'Name the token: -id ACCESSOR-ID.')
  return given === 'anonymous' ? anonymousId : wholeIdOf(client, 'token', given)
}

async function givenToken(client: AclClient, options: TokenIdOptions): Promise<TokenEntry> {
  return client.read('token', await tokenIdOf(client, options))
}

function printToken(io: Io, options: AclOptions, token: TokenEntry): Promise<void> {
  const text = tokenText(token, options.meta)
  return printOne(io, options, { data: token, name: token.AccessorID, text })
}

import { Option, type Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import type {
  AclLink,
  GrantsEntry,
  NodeIdentityEntry,
  ServiceIdentityEntry,
} from '../../client/acl-rows.ts'
import { collect } from '../new-command.ts'

/** What a command line grants to a token or a role. */
export interface GrantsOptions {
  readonly policyId?: readonly string[]
  readonly policyName?: readonly string[]
  readonly serviceIdentity?: readonly string[]
  readonly nodeIdentity?: readonly string[]
}

export interface TokenGrantsOptions extends GrantsOptions {
  readonly roleId?: readonly string[]
  readonly roleName?: readonly string[]
}

export function addGrantsOptions(command: Command): Command {
  return command
    .addOption(repeated('--policy-id <id>', 'The ID of a policy. Repeatable.'))
    .addOption(repeated('--policy-name <name>', 'The name of a policy. Repeatable.'))
    .addOption(
      repeated(
        '--service-identity <name>',
        'Grant what a service needs: register it and find others. NAME, or NAME:DC1,DC2 for these datacenters. Repeatable.',
      ),
    )
    .addOption(
      repeated(
        '--node-identity <name>',
        'Grant what the agent of a node needs: register the node and find services. NAME:DATACENTER. Repeatable.',
      ),
    )
}

export function addTokenGrantsOptions(command: Command): Command {
  return addGrantsOptions(command)
    .addOption(repeated('--role-id <id>', 'The ID of a role. Repeatable.'))
    .addOption(repeated('--role-name <name>', 'The name of a role. Repeatable.'))
}

function repeated(flags: string, help: string): Option {
  return new Option(flags, help).argParser(collect)
}

/** Fields of the API for what the options grant; a list without an option is left out. Throws `usage`. */
export function grantsOf(
  options: TokenGrantsOptions,
): GrantsEntry & { readonly Roles?: AclLink[] } {
  const policies = linksOf(options.policyId, options.policyName)
  const roles = linksOf(options.roleId, options.roleName)
  const { serviceIdentity = [], nodeIdentity = [] } = options
  return {
    ...(policies.length > 0 && { Policies: policies }),
    ...(roles.length > 0 && { Roles: roles }),
    ...(serviceIdentity.length > 0 && {
      ServiceIdentities: serviceIdentity.map(serviceIdentityOf),
    }),
    ...(nodeIdentity.length > 0 && { NodeIdentities: nodeIdentity.map(nodeIdentityOf) }),
  }
}

function linksOf(ids: readonly string[] = [], names: readonly string[] = []): AclLink[] {
  return [...ids.map((ID) => ({ ID })), ...names.map((Name) => ({ Name }))]
}

function serviceIdentityOf(text: string): ServiceIdentityEntry {
  const [name = '', datacenters] = text.split(':', 2)
  if (name === '') {
    throw svcdError('usage', { reason: 'Write -service-identity as NAME or NAME:DC1,DC2.' })
  }
  return datacenters === undefined
    ? { ServiceName: name }
    : { ServiceName: name, Datacenters: datacenters.split(',') }
}

function nodeIdentityOf(text: string): NodeIdentityEntry {
  const [name = '', datacenter = ''] = text.split(':', 2)
  if (name === '' || datacenter === '') {
    throw svcdError('usage', { reason: 'Write -node-identity as NAME:DATACENTER, such as n1:dc1.' })
  }
  return { NodeName: name, Datacenter: datacenter }
}

/** The links of both lists, each once. */
export function mergedLinks(
  present: readonly AclLink[] | null | undefined,
  added: readonly AclLink[] | null | undefined,
): readonly AclLink[] {
  const kept = present ?? []
  const isKnown = ({ ID, Name }: AclLink): boolean =>
    kept.some((link) => (ID === undefined ? link.Name === Name : link.ID === ID))
  return [...kept, ...(added ?? []).filter((link) => !isKnown(link))]
}

/** The identities of both lists, each once. */
export function mergedIdentities<T>(
  present: readonly T[] | null | undefined,
  added: readonly T[] | null | undefined,
): readonly T[] {
  const all = [...(present ?? []), ...(added ?? [])]
  return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()]
}

import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { KvClient } from '../../client/kv.ts'
import { agentClient } from '../agent-client.ts'
import type { Io } from '../io.ts'
import type { ClientOptions } from '../new-command.ts'

export interface KvOptions extends ClientOptions {
  readonly datacenter?: string
  readonly stale?: boolean
}

export async function kvClient(options: KvOptions, io: Io): Promise<KvClient> {
  return new KvClient(await agentClient(options, io))
}

export function addDatacenter(command: Command): Command {
  return command.option(
    '--datacenter <name>',
    'The datacenter to ask. (default: the datacenter of the agent)',
  )
}

export function addKvReadOptions(command: Command): Command {
  return addDatacenter(command).option(
    '--stale',
    "Read this agent's local copy; works without a leader.",
  )
}

export interface CasOptions {
  readonly cas?: boolean
  readonly modifyIndex?: string
}

export function addCasOptions(command: Command, only: string): Command {
  return command
    .option('--cas', `${only} the index of the key is the one of --modify-index.`)
    .option('--modify-index <index>', 'The ModifyIndex that the key must have. Use it with --cas.')
}

/** The index to compare with; undefined without --cas. Throws `usage`. */
export function casOf({ cas, modifyIndex }: CasOptions, command: string): string | undefined {
  if (cas !== true) {
    if (modifyIndex === undefined) return undefined
    throw usage('Use --modify-index together with --cas.', command)
  }
  if (modifyIndex === undefined) throw usage('Use --cas together with --modify-index.', command)
  return unsigned(modifyIndex, '--modify-index')
}

const unsignedMax = 2n ** 64n - 1n

/** A number up to 2^64-1 in decimal, from the forms that Go's flags take. Throws `invalid-option`. */
export function unsigned(text: string, option: string): string {
  const isNumber = /^(?:\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i.test(text)
  const value = isNumber ? BigInt(text) : undefined
  if (value !== undefined && value <= unsignedMax) return value.toString()
  const reason = `${JSON.stringify(text)} is not a whole number from 0 to ${unsignedMax}`
  throw svcdError('invalid-option', { option, reason })
}

/** A key from the command line of a reader. No key begins with a slash, but people type one. */
export function withoutSlash(key: string): string {
  return key.replace(/^\//, '')
}

/** A key to write. Throws `usage`. */
export function writableKey(key: string, command: string): string {
  if (key === '') throw usage('The key is empty.', command)
  if (!key.startsWith('/')) return key
  throw usage(`A key must not begin with a slash: ${key}.`, command)
}

export function usage(reason: string, command: string): Error {
  return svcdError('usage', { reason: `${reason} See \`svcd ${command} --help\`.` })
}

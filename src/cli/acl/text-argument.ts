import { reasonOf, svcdError } from '../../base/errors.ts'
import type { Io } from '../io.ts'

/** The rules that an argument names: a file as `@file`, standard input as `-`, or its own text. */
export async function rulesFrom(argument: string, io: Io): Promise<string> {
  if (argument === '-') return read('-', io)
  if (argument.startsWith('@')) return read(argument.slice(1), io)
  // A forgotten `@` would give an error about the first character.
  if (/^[\w./~-]+\.(?:hcl|json)$/.test(argument)) {
    const reason = `Write -rules @${argument} to read the rules from that file.`
    throw svcdError('usage', { reason })
  }
  return argument
}

async function read(path: string, io: Io): Promise<string> {
  try {
    return await io.readText(path)
  } catch (error) {
    const source = path === '-' ? 'standard input' : path
    throw svcdError('acl-rules-unreadable', { source, reason: reasonOf(error) }, error)
  }
}

import { reasonOf, svcdError } from '../../base/errors.ts'
import type { Io } from '../io.ts'

/** The bytes that an argument names: a file as `@file`, standard input as `-`, or its own text. */
export async function dataOf(argument: string, io: Io): Promise<Buffer> {
  if (argument === '-') return readAll('-', 'standard input', io)
  if (argument.startsWith('@')) return readAll(argument.slice(1), argument.slice(1), io)
  return Buffer.from(argument)
}

async function readAll(path: string, source: string, io: Io): Promise<Buffer> {
  try {
    return (await io.readBytes?.(path)) ?? Buffer.from(await io.readText(path))
  } catch (error) {
    throw svcdError('value-unreadable', { source, reason: reasonOf(error) }, error)
  }
}

/** Undefined if the text is not base64 with padding. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/**
 * Writes values as they are, for scripts. A terminal would obey their control characters, so there
 * they are written out.
 */
export function writeValue(io: Io, parts: readonly (string | Buffer)[]): void {
  const write = io.outBytes
  if (write !== undefined && io.terminal === undefined) {
    write(Buffer.concat(parts.map((part) => Buffer.from(part))))
  } else {
    io.out(parts.map((part) => part.toString()).join(''))
  }
}

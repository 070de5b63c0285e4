import type { FastifyReply, FastifyRequest } from 'fastify'
import { reasonOf, svcdError } from '../../../base/errors.ts'
import { checkBytes, keyBytesMax } from '../../../definition/sizes.ts'
import { cleanPath } from '../../../http/path.ts'

export const kvPrefix = '/v1/kv/'

const controls = /\p{Cc}/u
const noPrefixes: ReadonlySet<string> = new Set()

/**
 * The key that a path names: all of it behind `before`, decoded once; '' for none. Undefined: the path
 * has empty or dot segments, and the reply leads to the clean one. Throws `invalid-path`,
 * `field-too-large`.
 */
export function keyOf(
  request: FastifyRequest,
  reply: FastifyReply,
  before: string = kvPrefix,
): string | undefined {
  const { url } = request
  const clean = cleanPath(url, noPrefixes)
  if (clean !== undefined) {
    void reply.redirect(clean, 301)
    return undefined
  }
  const end = url.indexOf('?')
  const path = url.slice(before.length, end < 0 ? undefined : end)
  const key = decoded(path)
  if (controls.test(key)) {
    throw svcdError('invalid-path', { path, reason: 'a key must not contain control characters' })
  }
  checkBytes('key', key, keyBytesMax)
  return key
}

function decoded(path: string): string {
  try {
    return path.includes('%') ? decodeURIComponent(asText(path)) : asText(path)
  } catch (error) {
    throw svcdError('invalid-path', { path, reason: reasonOf(error) }, error)
  }
}

/** Node gives the bytes of a path as characters; some clients send UTF-8 as it is. */
function asText(path: string): string {
  if (!/[\u0080-\u00ff]/.test(path)) return path
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(path, 'latin1'))
}

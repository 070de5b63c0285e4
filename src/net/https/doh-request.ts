import { svcdError } from '../../base/errors.ts'
import type { SvcdError } from '../../base/errors.ts'

export const dohMediaType = 'application/dns-message'
/** The longest DNS message. */
export const dohBytesMax = 65_535

export interface DohHead {
  readonly method: string | undefined
  /** Path and query. */
  readonly target: string | undefined
  readonly contentType: string | undefined
  /** Undefined: it is not told. */
  readonly contentLength: string | undefined
}

/** What the head of a request says: its query, that its body is the query, or why it is refused. */
export type DohRequest = Uint8Array | 'body' | SvcdError

const path = '/dns-query'

/** Reads the head of a request (RFC 8484 §4.1). */
export function readDohHead(head: DohHead): DohRequest {
  const { method = '', target = '', contentType = '', contentLength = '0' } = head
  const mark = target.indexOf('?')
  if ((mark < 0 ? target : target.slice(0, mark)) !== path) return svcdError('doh-path', {})
  if (method === 'GET') return queryIn(mark < 0 ? '' : target.slice(mark + 1))
  if (method !== 'POST') return svcdError('doh-method', { method })
  const [mediaType = ''] = contentType.split(';', 1)
  if (mediaType.trim().toLowerCase() !== dohMediaType) return svcdError('doh-media-type', {})
  return Number(contentLength) > dohBytesMax ? tooLarge() : 'body'
}

export function tooLarge(): SvcdError {
  return svcdError('doh-too-large', { max: dohBytesMax })
}

/** RFC 8484 §6: base64url (RFC 4648 §5), without padding. */
function queryIn(parameters: string): Uint8Array | SvcdError {
  const [text] = parameters
    .split('&')
    .filter((each) => each.startsWith('dns='))
    .map((each) => each.slice(4))
  if (text === undefined || !/^[\w-]+$/.test(text) || text.length % 4 === 1) {
    return svcdError('doh-query', {})
  }
  const query = Buffer.from(text, 'base64url')
  return query.length > dohBytesMax ? tooLarge() : query
}

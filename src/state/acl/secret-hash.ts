import { createHash } from 'node:crypto'

/** The secret of requests that send none. */
export const anonymousSecret = 'anonymous'

/** No token has a longer one. Options and clients cannot set one. */
export const secretLengthMax = 512

/** As it is stored: SHA-256 in hex. Secrets are random, so nothing slower is needed. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

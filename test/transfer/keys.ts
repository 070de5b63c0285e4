import { TsigKeys } from '../../src/transfer/tsig/keys.ts'
import type { TsigKey } from '../../src/transfer/tsig/keys.ts'

export function keyNamed(
  name: string,
  algorithm = 'hmac-sha256',
  secret = 'a long secret',
): TsigKey {
  return { name: name.split('.'), algorithm, secret: Buffer.from(secret) }
}

export const key = keyNamed('transfer.example')
export const keys = new TsigKeys([
  key,
  keyNamed('old', 'hmac-sha1'),
  keyNamed('big', 'hmac-sha512'),
])
/** When all of these tests take place, in seconds. */
export const now = 1_800_000_000

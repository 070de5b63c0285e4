import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { createAuthority, createLeaf } from '../../src/pki/authority.ts'
import type { Credentials, LeafOptions } from '../../src/pki/authority.ts'

/** A new authority. `nowMs`: when it is made. */
export function authority(nowMs = Date.now()): Credentials {
  return createAuthority({ days: 3650, nowMs })
}

/** A certificate of `ca`, of a server of dc1.consul unless said otherwise. */
export function leaf(ca: Credentials, options: Partial<LeafOptions> = {}): Credentials {
  const server = { role: 'server', datacenter: 'dc1', domain: 'consul' } as const
  return must(createLeaf(ca, { ...server, days: 365, nowMs: Date.now(), ...options }))
}

/** Writes a certificate and its key as NAME.pem and NAME-key.pem. */
export function writeCredentials(
  directory: string,
  name: string,
  { cert, key }: Credentials,
): { readonly cert: string; readonly key: string } {
  const paths = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}-key.pem`) }
  writeFileSync(paths.cert, cert)
  writeFileSync(paths.key, key)
  return paths
}

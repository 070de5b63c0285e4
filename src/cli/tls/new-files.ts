import { existsSync, writeFileSync } from 'node:fs'
import { svcdError } from '../../base/errors.ts'
import type { Credentials } from '../../pki/authority.ts'

export interface PemPaths {
  readonly cert: string
  readonly key: string
}

/**
 * Writes a certificate and its key; only the owner can read the key. Throws `file-exists` before anything is
 * written, and the error of the system.
 */
export function writeNew({ cert, key }: PemPaths, credentials: Credentials): void {
  for (const path of [cert, key]) if (existsSync(path)) throw svcdError('file-exists', { path })
  write(key, credentials.key, 0o600)
  write(cert, credentials.cert, 0o644)
}

function write(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw svcdError('file-exists', { path }, error)
  }
}

/** `NAME-0`, or the next number of which no file exists. */
export function freeName(name: string): PemPaths {
  for (let number = 0; ; number++) {
    const paths = { cert: `${name}-${number}.pem`, key: `${name}-${number}-key.pem` }
    if (!existsSync(paths.cert) && !existsSync(paths.key)) return paths
  }
}

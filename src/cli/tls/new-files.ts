import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { reasonOf, svcdError } from '../../base/errors.ts'
import type { Credentials } from '../../pki/authority.ts'

export interface PemPaths {
  readonly cert: string
  readonly key: string
}

/**
 * Writes a certificate and its key; only the owner can read the key. Throws `file-exists` or `file-unwritable`; then
 * neither file was added.
 */
export function writeNew({ cert, key }: PemPaths, credentials: Credentials): void {
  for (const path of [cert, key]) if (existsSync(path)) throw svcdError('file-exists', { path })
  write(key, credentials.key, 0o600)
  try {
    write(cert, credentials.cert, 0o644)
  } catch (error) {
    removeQuietly(key)
    throw error
  }
}

function write(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw svcdError('file-exists', { path }, error)
    }
    // A full disk leaves a part of it, which the next command would take for a certificate.
    removeQuietly(path)
    throw svcdError('file-unwritable', { path, reason: reasonOf(error) }, error)
  }
}

/** The error that matters is the one of the write. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Its directory cannot be read either, or does not exist.
  }
}

/** `NAME-0`, or the next number of which no file exists. */
export function freeName(name: string): PemPaths {
  for (let number = 0; ; number++) {
    const paths = { cert: `${name}-${number}.pem`, key: `${name}-${number}-key.pem` }
    if (!existsSync(paths.cert) && !existsSync(paths.key)) return paths
  }
}

import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, svcdError } from '../../base/errors.ts'

/** Where a node keeps its files. */
export interface DataDirectory {
  readonly path: string
  /** Removes it, when it was made for this run only. */
  release(): void
}

/**
 * Makes the data directory, or with undefined a temporary one (`:memory:` cannot be shared by
 * threads). Throws SvcdError `data-dir-unusable`.
 */
export function openDataDirectory(path: string | undefined): DataDirectory {
  if (path === undefined) {
    const temporary = mkdtempSync(join(tmpdir(), 'svcd-dev-'))
    return {
      path: temporary,
      release: () => rmSync(temporary, { recursive: true, force: true }),
    }
  }
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw svcdError('data-dir-unusable', { path, reason: reasonOf(error) }, error)
  }
  return { path, release: () => {} }
}

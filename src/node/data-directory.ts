import { randomUUID } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, svcdError } from '../base/errors.ts'

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

/** The node's UUID, made at the first start: an id names one node for all time. */
export function nodeIdIn(directory: string): string {
  const known = knownNodeIdIn(directory)
  if (known !== undefined) return known
  const id = randomUUID()
  writeFileSync(nodeIdFile(directory), `${id}\n`, { mode: 0o600 })
  return id
}

/** Undefined before the first start. */
export function knownNodeIdIn(directory: string): string | undefined {
  try {
    const id = readFileSync(nodeIdFile(directory), 'utf8').trim()
    chmodSync(nodeIdFile(directory), 0o600)
    return id
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw svcdError('data-dir-unusable', { path: directory, reason: reasonOf(error) }, error)
  }
}

function nodeIdFile(directory: string): string {
  return join(directory, 'node-id')
}

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { reasonOf, svcdError } from '../base/errors.ts'

/**
 * Writes this process's ID into a file, and returns what removes it again. A file that another process
 * has written since is left to that one. Throws `file-unwritable`.
 */
export function writePidFile(path: string): () => void {
  const text = `${process.pid}\n`
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw svcdError('file-unwritable', { path, reason: reasonOf(error) }, error)
  }
  return () => {
    try {
      if (readFileSync(path, 'utf8') === text) rmSync(path)
    } catch {
      // It is gone already, or its directory may not be written any more: nothing depends on it.
    }
  }
}

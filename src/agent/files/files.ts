import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '../../base/errors.ts'
import { Loaded, readDefinitions } from './document.ts'
import type { DefinitionFiles } from './document.ts'

const fileBytesMax = 16 * 1024 * 1024
const start = { line: 1, column: 1 }

/**
 * Reads service and check definitions, in Consul's format, from files and from the `*.json` of
 * directories, in order of name. Errors are reported by file, line and reason, and the rest is
 * read. Never rejects.
 */
export async function loadDefinitionFiles(paths: readonly string[]): Promise<DefinitionFiles> {
  const loaded = new Loaded()
  for (const path of paths) {
    for (const file of await filesAt(path, loaded)) await loadFile(file, loaded)
  }
  return loaded
}

async function filesAt(path: string, loaded: Loaded): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    // Consul looks at these two endings only, in order of name; a leading dot marks editors' files.
    const names = (await readdir(path)).filter((name) => /^[^.].*\.(?:json|hcl)$/.test(name))
    return names.toSorted().map((name) => join(path, name))
  } catch (error) {
    loaded.findUnread({ path, ...start }, `cannot be read: ${reasonOf(error)}`, true)
    return []
  }
}

async function loadFile(path: string, loaded: Loaded): Promise<void> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes; the limit is ${fileBytesMax}`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    return loaded.findUnread({ path, ...start }, `cannot be read: ${reasonOf(error)}`, true)
  }
  readDefinitions(path, text, loaded)
}

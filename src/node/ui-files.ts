import { readFile } from 'node:fs/promises'
import { svcdError } from '../base/errors.ts'
import { packageFile } from '../base/package-files.ts'
import type { Site, SiteFile } from '../http/site.ts'

/** A row of dist/ui/files.json; bin/build-ui.js writes it. */
interface Row {
  readonly path: string
  readonly type: string
  readonly hash: string
}

/**
 * Reads all files of the web UI together, because a build that replaces them while the agent runs gives them other
 * names. Rejects with `ui-not-built`.
 */
export async function readUiFiles(directory: URL = packageFile('dist/ui/')): Promise<Site> {
  const read = (path: string): Promise<Buffer> => readFile(new URL(path, directory))
  try {
    const rows = JSON.parse((await read('files.json')).toString()) as readonly Row[]
    const files = rows.map(async ({ path, type, hash }): Promise<[string, SiteFile]> => {
      const forms = [read(path), read(`${path}.gz`), read(`${path}.br`)] as const
      const [bytes, gzip, br] = await Promise.all(forms)
      return [path, { type, hash, bytes, gzip, br }]
    })
    return new Map(await Promise.all(files))
  } catch (error) {
    throw svcdError('ui-not-built', {}, error)
  }
}

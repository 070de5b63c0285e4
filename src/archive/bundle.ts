import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { tarEnd, tarHeader, tarPadding } from './tar.ts'

/** Writes a gzip tar of a few texts by name, for the eyes of its owner. Rejects with a system error. */
export async function writeBundle(
  path: string,
  files: ReadonlyMap<string, string>,
  nowMs: number,
): Promise<void> {
  const parts = [...files].flatMap(([name, text]) => {
    const bytes = Buffer.from(text)
    return [tarHeader(name, bytes.length, nowMs), bytes, tarPadding(bytes.length)]
  })
  const archive = await promisify(gzip)(Buffer.concat([...parts, tarEnd]))
  await writeFile(path, archive, { mode: 0o600 })
}

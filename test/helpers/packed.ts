import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Packed {
  readonly filename: string
  /** Of the tarball, in bytes. */
  readonly size: number
  readonly files: readonly { readonly path: string; readonly size: number; readonly mode: number }[]
}

/** What `npm pack` makes of this repository; with a directory, it writes the tarball there. */
export function pack(directory?: string): Packed {
  const into = directory === undefined ? ['--dry-run'] : ['--pack-destination', directory]
  // The runner has built dist/ already, and another build would change it under the other tests.
  const args = ['pack', '--json', '--ignore-scripts', ...into]
  const text = execFileSync('npm', args, { cwd: root, encoding: 'utf8' })
  const result = JSON.parse(text) as readonly Packed[] | Readonly<Record<string, Packed>>
  const [packed] = Object.values(result)
  if (packed === undefined) throw new Error(`npm pack printed ${text}`)
  return packed
}

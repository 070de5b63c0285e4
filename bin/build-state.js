// Whether dist/ was made from the sources as they are. Plain JavaScript without dependencies: bin/ensure.js asks
// before any are installed, and the tests ask before they run a thread from dist/.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const manifestPath = join(root, 'dist', '.sources.json')

export function buildIsCurrent() {
  return existsSync(manifestPath) && readFileSync(manifestPath, 'utf8') === sourceManifest()
}

/** `manifest`: of before the build, so that a source that changed during it counts as changed. */
export function rememberBuild(manifest) {
  writeFileSync(manifestPath, manifest)
}

/** Path, size and time of everything the build is made from. */
export function sourceManifest() {
  const paths = [
    'package-lock.json',
    'bin/build.js',
    'bin/build-ui.js',
    'tsconfig.json',
    ...filesUnder('src').map((path) => join('src', path)),
  ]
  const rows = paths.map((path) => {
    const { size, mtimeMs } = statSync(join(root, path))
    return [path, size, mtimeMs]
  })
  return JSON.stringify(rows)
}

function filesUnder(directory) {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath || entry.path, entry.name).slice(join(root, directory).length + 1),
    )
    .toSorted()
}

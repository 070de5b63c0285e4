// Makes dist/ of src/ (`npm run build`): the web UI, the program, and each of its threads, bundled. A thread that
// loads a few files starts sooner than one that loads hundreds, and holds less memory.
// Packages are not part of the bundles.
import { build } from 'esbuild'
import { readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildUi } from './build-ui.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

// What Node is started with, or a worker; src/base/package-files.ts finds them by the same names.
const entries = [
  'cli/main',
  'replica/thread',
  'resolver/threads/thread',
  'resolver/recursion/recursor-thread',
  'resolver/transfer/image-thread',
  'resolver/zones/zone-thread',
  'storage/snapshot/thread',
]

/** Not of the bundles: the web UI, and what install-sqlite.js installs. */
const keptDirectories = new Set(['ui', 'node_modules'])

try {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => ({
      in: `src/${entry}.ts`,
      out: entry.replaceAll('/', '-'),
    })),
    outdir: 'dist',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    target: 'node20.15',
    format: 'esm',
    charset: 'utf8',
    // Each thread keeps the text of what it has loaded. Names stay, and lines are short, so a stack trace
    // names functions and a place.
    minifyWhitespace: true,
    lineLimit: 160,
    metafile: true,
  })
  await buildUi(root)
  removeOthers(new Set(Object.keys(metafile.outputs)))
} catch (error) {
  // esbuild has printed what is wrong with a source.
  if (!Array.isArray(error?.errors)) throw error
  process.exit(1)
}

/** Removes the files of an earlier build. */
function removeOthers(made) {
  for (const entry of readdirSync(join(root, 'dist'), { withFileTypes: true })) {
    const isOther = entry.isDirectory()
      ? !keptDirectories.has(entry.name)
      : entry.name.endsWith('.js')
    if (isOther && !made.has(`dist/${entry.name}`))
      rmSync(join(root, 'dist', entry.name), { recursive: true })
  }
}

// Runs when npm installs svcd as a package (postinstall). On a Node older than 22.14 it adds
// better-sqlite3 12; src/storage/sqlite-driver.ts says why svcd has one release for older Nodes and
// one for newer ones. On newer Nodes it does nothing.
//
// npm cannot be told to do this with a dependency. It leaves an optional package out if `engines` of
// that package excludes this Node, which is how version 13 stays out of Node 20. But version 12
// allows newer Nodes, too: as an optional dependency, everybody would download it and, where no
// prebuilt binary can be fetched, compile it.
//
// It goes into dist/node_modules: `npm uninstall` removes it with svcd, and npm does not count it as
// an extraneous package of anything. If the user turned install scripts off (ignore-scripts), svcd
// names the command to run when it starts.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { howToInstallTools, inWords, missingBuildTools } from './build-tools.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const name = 'better-sqlite3-node20'

// In a clone, bin/ensure.js installs it as a development package.
const isPackage = root.includes(`${sep}node_modules${sep}`)
if (isPackage && Number(process.versions.napi) < 10) install()

function install() {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const args = [
    'install',
    `${name}@${devDependencies[name]}`,
    `--prefix=${join(root, 'dist')}`,
    // What the npm that runs this was told (-g, --ignore-scripts=false) reaches it by the environment.
    '--global=false',
    '--location=project',
    '--ignore-scripts=false',
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  if (runNpm(args)) return
  const missing = missingBuildTools()
  const cause = missing.length > 0 ? `, because this machine has no ${inWords(missing)}` : ''
  console.error(
    `svcd: Node ${process.versions.node} needs better-sqlite3 12, which could not be installed${cause}. ${howToInstallTools()}, then install svcd again. Or use Node 22.14 or newer, which needs no compiler.`,
  )
  process.exit(1)
}

/** Runs the npm that runs this; another package manager is not asked. */
function runNpm(args) {
  const { npm_execpath: path = '' } = process.env
  const stdio = ['ignore', 'inherit', 'inherit']
  const cwd = join(root, 'dist')
  const result = basename(path).startsWith('npm')
    ? spawnSync(process.execPath, [path, ...args], { cwd, stdio })
    : spawnSync('npm', args, { cwd, stdio })
  return result.status === 0
}

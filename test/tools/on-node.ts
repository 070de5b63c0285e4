import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import {
  cacheOf,
  environmentOf,
  nodeAtHand,
  packageOf,
  supportedMajors,
  versionOf,
} from '../helpers/node-versions.ts'

// npm run on-node -- 22,24 npm run unit -- test/storage
// Runs a command on each of these majors of Node, fetched from the npm registry where they are not
// the one that runs this. Without a command it only fetches them.

const [list = '', ...command] = process.argv.slice(2)
const majors = list.split(',').map(Number)
if (!majors.every((major) => (supportedMajors as readonly number[]).includes(major))) {
  console.error(`on-node: which Node? One or more of ${supportedMajors.join(',')}, by commas.`)
  process.exit(2)
}
await Promise.all(majors.map((major) => fetch(major)))
const results = majors.map((major) => ({ major, status: runOn(major) }))
if (results.length > 1) {
  for (const { major, status } of results) {
    console.error(`on-node: Node ${major}: ${status === 0 ? 'passed' : `failed (${status})`}`)
  }
}
process.exitCode = results.some(({ status }) => status !== 0) ? 1 : 0

/** The exit code of the command, or 1 when this Node or its packages cannot be installed. */
function runOn(major: number): number {
  const path = nodeAtHand(major)
  if (path === undefined) {
    const cause = `npm has no ${packageOf(major)} for it, or the registry is not reached`
    console.error(`on-node: Node ${major} cannot be installed: ${cause} (see above).`)
    return 1
  }
  console.error(`on-node: ${versionOf(path)}`)
  const env = environmentOf(path)
  const ensured = spawnSync(path, ['bin/ensure.js'], { env, stdio: 'inherit' })
  if (ensured.status !== 0) return 1
  const [program, ...args] = command
  if (program === undefined) return 0
  return spawnSync(program, args, { env, stdio: 'inherit' }).status ?? 1
}

/** Brings the newest Node of its major; the one that is there already serves without the registry. */
async function fetch(major: number): Promise<void> {
  if (nodeAtHand(major) === process.execPath) return
  const directory = cacheOf(major)
  mkdirSync(directory, { recursive: true })
  const args = ['--no-save', '--no-package-lock', '--no-fund', '--no-audit', '--loglevel=error']
  const install = ['install', '--prefix', directory, ...args, packageOf(major)]
  await once(
    spawn('npm', install, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] }),
    'exit',
  )
}

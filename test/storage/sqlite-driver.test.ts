import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { driverFor, loadSqlite, nextStep } from '../../src/storage/sqlite-driver.ts'
import { nodeAtHand, supportedMajors } from '../helpers/node-versions.ts'
import { typescriptFlags } from '../helpers/typescript-flags.ts'

const root = new URL('../../', import.meta.url)
const door = new URL('src/storage/sqlite-driver.ts', root).href

interface Manifest {
  readonly version: string
  readonly devDependencies: Record<string, string>
  readonly optionalDependencies: Record<string, string>
}
const manifestOf = (path: string): Manifest =>
  JSON.parse(readFileSync(new URL(`${path}/package.json`, root), 'utf8')) as Manifest

t.test('a Node with Node-API 10 takes version 13, an older one version 12', async (t) => {
  const cases = [
    ['8', '~12.11.1'],
    ['9', '~12.11.1'], // Node 20, and 22 up to 22.13: version 13 ends the process there
    ['10', '~13.2.0'], // Node 22.14
    ['11', '~13.2.0'],
  ] as const
  for (const [nodeApi, range] of cases) t.equal(driverFor(nodeApi).range, range, nodeApi)
})

t.test('the versions that the door names are those that package.json asks for', async (t) => {
  const { devDependencies, optionalDependencies } = manifestOf('.')
  const [old, current] = [driverFor('9'), driverFor('10')]
  t.equal(devDependencies[old.name], `npm:better-sqlite3@${old.range}`)
  t.equal(optionalDependencies[current.name], current.range)
  t.equal(new Set([old.name, current.name]).size, 2)
})

t.test('a driver that is missing comes with the command that installs it', async (t) => {
  const installed = 'file:///usr/lib/node_modules/svcd/dist/chunk-1.js'
  t.match(nextStep(driverFor('9'), 'file:///home/a/svcd/dist/x.js'), 'Run `node bin/ensure.js`')
  t.match(
    nextStep(driverFor('9'), installed),
    'npm install -g "better-sqlite3-node20@npm:better-sqlite3@~12.11.1"',
  )
  t.match(nextStep(driverFor('10'), installed), 'npm install -g "better-sqlite3@~13.2.0"')
})

// Version 12 ends the process on Node 24.19 and newer at the first Statement that the collector
// takes of its own accord (not by gc()), so each round makes enough for it to run.
const program = `
  import { driverFor, loadSqlite } from ${JSON.stringify(door)}
  const db = new (loadSqlite())(':memory:')
  for (let round = 0; round < 20; round++) {
    for (let at = 0; at < 50; at++) db.prepare('SELECT ' + at).get()
    const made = []
    for (let at = 0; at < 10_000; at++) made.push({ at })
    await new Promise(setImmediate)
  }
  const { version } = db.prepare('SELECT sqlite_version() version').get()
  const { name } = driverFor(process.versions.napi)
  const loaded = process.report.getReport().sharedObjects.filter((path) => /sqlite3/.test(path))
  console.log(JSON.stringify({ version, name, loaded }))`

for (const major of supportedMajors) {
  const node = nodeAtHand(major)
  const name = major === 20 ? 'better-sqlite3-node20' : 'better-sqlite3'
  const isMissing = node === undefined || !existsSync(new URL(`node_modules/${name}`, root))
  const skip = isMissing && `needs Node ${major} and its driver: npm run on-node -- ${major}`
  t.test(
    `Node ${major} loads its driver and outlives collected statements`,
    { skip },
    async (t) => {
      const args = [...typescriptFlags, '--input-type=module', '-e', program]
      const { status, signal, stdout, stderr } = spawnSync(node ?? '', args, { encoding: 'utf8' })
      t.strictSame({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
      const {
        version,
        name: chosen,
        loaded,
      } = JSON.parse(stdout) as {
        readonly version: string
        readonly name: string
        readonly loaded: readonly string[]
      }
      t.equal(chosen, name)
      t.match(manifestOf(`node_modules/${name}`).version, major === 20 ? /^12\.11\./ : /^13\.2\./)
      t.equal(loaded.length, 1, 'one native module of SQLite is loaded')
      t.match(loaded[0], `/node_modules/${name}/`)
      t.match(version, /^3\.5\d\./)
    },
  )
}

t.test('this process has the driver of its Node', async (t) => {
  const isOld = process.versions.node.startsWith('20.')
  t.equal(loadSqlite(), loadSqlite(), 'loaded once')
  const { name } = driverFor(process.versions['napi'] ?? '')
  t.equal(name, isOld ? 'better-sqlite3-node20' : 'better-sqlite3')
})

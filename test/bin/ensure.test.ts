import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { driverFor } from '../../src/storage/sqlite-driver.ts'

// bin/ensure.js in a small repository of its own, with an npm that notes what it is asked to do.

interface NodeCheck {
  readonly nodeFault: (version: string) => string | undefined
  readonly isInRange: (version: string, range: string) => boolean
}
const nodeCheck = new URL('../../bin/node-check.js', import.meta.url).href
const { nodeFault, isInRange } = (await import(nodeCheck)) as NodeCheck

const programs = [
  'ensure.js',
  'build.js',
  'build-ui.js',
  'build-tools.js',
  'build-state.js',
  'node-check.js',
]
const driver = driverFor(process.versions['napi'] ?? '').name
const isOnNode20 = driver === 'better-sqlite3-node20'

const sqlite = {
  'package.json':
    '{"name": "better-sqlite3", "main": "index.cjs", "scripts": {"build-release": "false"}}',
  'index.cjs': 'module.exports = class { close() {} }',
  build: { Release: { 'better_sqlite3.node': '' } },
}

const lock = (version: string): string =>
  JSON.stringify({
    packages: {
      '': {},
      'node_modules/a': { version },
      'node_modules/elsewhere': { version: '1.0.0', optional: true },
    },
  })

const repository = {
  'package.json': '{"type": "module", "engines": {"node": "^20.15.0 || >=22.14.0"}}',
  'package-lock.json': lock('1.0.0'),
  'tsconfig.json': '{}',
  bin: {},
  src: { 'a.ts': '' },
  dist: {},
  node_modules: {
    '.package-lock.json': JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }),
    [driver]: sqlite,
  },
  'npm.cjs': `
    require('node:fs').appendFileSync(__dirname + '/asked.txt', process.argv.slice(2).join(' ') + '\\n')
    process.exit(Number(process.env.NPM_STATUS ?? 0))`,
}

/** What it said, its exit code, and what it asked npm to do. */
function run(
  t: Test,
  files: object,
  env: NodeJS.ProcessEnv = {},
): { readonly said: string; readonly code: number | null; readonly asked: string; root: string } {
  const root = t.testdir({ ...repository, ...files })
  for (const name of programs) {
    copyFileSync(new URL(`../../bin/${name}`, import.meta.url), join(root, 'bin', name))
  }
  return runAgain(root, env)
}

function runAgain(root: string, env: NodeJS.ProcessEnv = {}): ReturnType<typeof run> {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/ensure.js')], {
    env: { ...process.env, npm_execpath: join(root, 'npm.cjs'), ...env },
    encoding: 'utf8',
  })
  const asked = join(root, 'asked.txt')
  return {
    said: stderr,
    code: status,
    asked: existsSync(asked) ? readFileSync(asked, 'utf8') : '',
    root,
  }
}

t.test('it builds once, and is silent when nothing changed', async (t) => {
  const { root, ...first } = run(t, {})
  t.match(first, { code: 0, said: 'svcd: building dist/\n', asked: 'run --silent build\n' })
  t.match(runAgain(root), { code: 0, said: '', asked: first.asked })
})

t.test('a build that fails is tried again the next time', async (t) => {
  const { root, ...first } = run(t, {}, { NPM_STATUS: '2' })
  t.match(first, { code: 1, said: /The build failed/ })
  t.match(runAgain(root), { code: 0, asked: 'run --silent build\nrun --silent build\n' })
})

t.test('packages that are missing or of another version are installed', async (t) => {
  const missing = run(t, { node_modules: { [driver]: sqlite } })
  t.match(missing.asked, /^ci --no-fund --no-audit\nrun/)
  const other = run(t, { 'package-lock.json': lock('1.0.1') })
  t.match(other.asked, /^ci --no-fund --no-audit\nrun/)
})

t.test('an install that fails says where to look', async (t) => {
  const failed = run(t, { node_modules: {} }, { NPM_STATUS: '1' })
  t.match(failed, { code: 1, said: /npm ci failed.* Check the network and the npm registry/ })
})

t.test(
  'only the better-sqlite3 of this Node is asked for, and added to what is there',
  async (t) => {
    const other = isOnNode20 ? 'better-sqlite3' : 'better-sqlite3-node20'
    const { '.package-lock.json': installed } = repository.node_modules
    const node_modules = { '.package-lock.json': installed, [other]: sqlite }
    const { said, code, asked } = run(t, { node_modules })
    t.equal(
      asked,
      'install --no-save --no-fund --no-audit --include=dev --include=optional\n',
      'npm ci would remove a driver that was built',
    )
    t.equal(code, 1, 'this npm installs nothing')
    t.match(
      said,
      new RegExp(`installing ${driver} for this version of Node\n.*Could not install ${driver};`),
    )
  },
)

t.test('a better-sqlite3 that does not load is built again', async (t) => {
  const broken = { ...sqlite, 'index.cjs': 'throw new Error("another NODE_MODULE_VERSION")' }
  const installed = { ...repository.node_modules, [driver]: broken }
  const { said, code, asked } = run(t, { node_modules: installed }, { PATH: '/nowhere' })
  t.equal(code, 1)
  if (isOnNode20) t.equal(asked, `rebuild --ignore-scripts=false ${driver}\n`)
  else t.equal(asked, 'run build-release\n')
  t.match(
    said,
    /Could not build .* for Node .*, because this machine has no C\+\+ compiler, make or python3\. Install .*, then run this command again\.\n$/,
  )
})

t.test('a Node that is not supported is named with those that are', async (t) => {
  const manifest = '{"type": "module", "engines": {"node": "^97.2 || >=99.1"}}'
  const { said, code, asked } = run(t, { 'package.json': manifest })
  t.match(
    said,
    /^svcd: Node [\d.]+ is not supported\. svcd needs Node 97 \(97\.2 or later\), or Node 99\.1 or later\. .* \(nvm install 99\)\.\n$/,
  )
  t.strictSame({ code, asked }, { code: 1, asked: '' })
})

t.test('supported are 20 from 20.15 on, and all from 22.14 on', async (t) => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['18.20.8', false],
    ['20.14.0', false],
    ['20.15.0', true],
    ['20.20.2', true],
    ['21.7.3', false],
    ['22.13.1', false],
    ['22.14.0', true],
    ['24.21.0', true],
    ['26.12.1', true],
    ['100.0.0', true],
  ]
  for (const [version, isSupported] of cases) {
    t.equal(nodeFault(version) === undefined, isSupported, version)
  }
  t.ok(isInRange('20.15.1', '>=20.15'), 'parts that a range leaves out are 0')
})

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

// bin/ensure.js in a small repository of its own, with an npm that notes what it is asked to do.

const ensure = fileURLToPath(new URL('../../bin/ensure.js', import.meta.url))

const sqlite = {
  'package.json': '{"name": "better-sqlite3", "main": "index.cjs"}',
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
  'package.json': '{"type": "module", "engines": {"node": ">=20.15"}}',
  'package-lock.json': lock('1.0.0'),
  'tsconfig.json': '{}',
  'tsconfig.build.json': '{}',
  bin: {},
  src: { 'a.ts': '' },
  dist: { 'a.js': '', 'gone.js': '' },
  node_modules: {
    '.package-lock.json': JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }),
    'better-sqlite3': sqlite,
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
  copyFileSync(ensure, join(root, 'bin/ensure.js'))
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

t.test(
  'it builds once, drops what has no source, and is silent when nothing changed',
  async (t) => {
    const { root, ...first } = run(t, {})
    t.match(first, { code: 0, said: 'svcd: building dist/\n', asked: 'run --silent build\n' })
    t.notOk(existsSync(join(root, 'dist/gone.js')))
    t.ok(existsSync(join(root, 'dist/a.js')))
    t.match(runAgain(root), { code: 0, said: '', asked: first.asked })
  },
)

t.test('a build that fails is tried again the next time', async (t) => {
  const { root, ...first } = run(t, {}, { NPM_STATUS: '2' })
  t.match(first, { code: 1, said: /the build failed/ })
  t.match(runAgain(root), { code: 0, asked: 'run --silent build\nrun --silent build\n' })
})

t.test('packages that are missing or of another version are installed', async (t) => {
  const missing = run(t, { node_modules: { 'better-sqlite3': sqlite } })
  t.match(missing.asked, /^ci --no-fund --no-audit\nrun/)
  const other = run(t, { 'package-lock.json': lock('1.0.1') })
  t.match(other.asked, /^ci --no-fund --no-audit\nrun/)
})

t.test('an install that fails names the tools that are missing', async (t) => {
  const failed = run(t, { node_modules: {} }, { NPM_STATUS: '1', PATH: '/nowhere' })
  t.match(failed, {
    code: 1,
    said: /lacks a C\+\+ compiler, make, python3\. Install .*, then run this again\.\n$/,
  })
})

t.test('a better-sqlite3 that does not load is built again', async (t) => {
  const broken = { ...sqlite, 'index.cjs': 'throw new Error("another NODE_MODULE_VERSION")' }
  const installed = { ...repository.node_modules, 'better-sqlite3': broken }
  const { said, code, asked } = run(t, { node_modules: installed }, { PATH: '/nowhere' })
  t.match(asked, /^rebuild better-sqlite3\n$/)
  t.equal(code, 1)
  t.match(
    said,
    /could not be built for Node .*: this machine lacks a C\+\+ compiler, .*npm rebuild/,
  )
})

t.test('a Node that is too old is named with the one that is needed', async (t) => {
  const manifest = '{"type": "module", "engines": {"node": ">=99.1"}}'
  const { said, code, asked } = run(t, { 'package.json': manifest })
  t.match(said, /^svcd: Node [\d.]+ is too old: svcd needs 99\.1 or newer\..*\n$/)
  t.strictSame({ code, asked }, { code: 1, asked: '' })
})

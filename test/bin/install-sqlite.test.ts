import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { driverFor } from '../../src/storage/sqlite-driver.ts'

// bin/install-sqlite.js in a package of its own, with an npm that notes what it is asked to do.

const isOnNode20 = driverFor(process.versions['napi'] ?? '').name === 'better-sqlite3-node20'

const svcd = {
  'package.json': JSON.stringify({
    type: 'module',
    devDependencies: { 'better-sqlite3-node20': 'npm:better-sqlite3@~12.11.1' },
  }),
  bin: {},
  dist: {},
  'npm-cli.cjs': `
    require('node:fs').writeFileSync(__dirname + '/asked.txt', process.argv.slice(2).join(' '))
    process.exit(Number(process.env.NPM_STATUS ?? 0))`,
}

interface Ran {
  readonly code: number | null
  readonly said: string
  readonly asked: string
}

function run(t: Test, place: string, files: object, env: NodeJS.ProcessEnv = {}): Ran {
  const root = join(t.testdir({ ...files }), place)
  for (const name of ['install-sqlite.js', 'build-tools.js']) {
    copyFileSync(new URL(`../../bin/${name}`, import.meta.url), join(root, 'bin', name))
  }
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/install-sqlite.js')], {
    env: { ...process.env, npm_execpath: join(root, 'npm-cli.cjs'), ...env },
    encoding: 'utf8',
  })
  const asked = join(root, 'asked.txt')
  return { code: status, said: stderr, asked: existsSync(asked) ? readFileSync(asked, 'utf8') : '' }
}

const installed = { lib: { node_modules: { svcd } } }
const place = 'lib/node_modules/svcd'

t.test('an installed package brings better-sqlite3 12 into dist/ on Node 20 only', async (t) => {
  const { code, said, asked } = run(t, place, installed)
  t.strictSame({ code, said }, { code: 0, said: '' })
  if (!isOnNode20) {
    t.equal(asked, '')
    return
  }
  t.match(
    asked,
    /^install better-sqlite3-node20@npm:better-sqlite3@~12\.11\.1 --prefix=\S+\/svcd\/dist /,
  )
  t.match(asked, '--global=false')
})

t.test('in a clone it does nothing', async (t) => {
  t.strictSame(run(t, 'svcd', { svcd }), { code: 0, said: '', asked: '' })
})

t.test(
  'an install that fails names what is missing',
  { skip: !isOnNode20 && 'needs Node 20' },
  async (t) => {
    const { code, said } = run(t, place, installed, { NPM_STATUS: '1', PATH: '/nowhere' })
    t.equal(code, 1)
    t.match(
      said,
      /could not be installed, because this machine has no C\+\+ compiler, make or python3\. .* Or use Node 22\.14 or newer/,
    )
  },
)

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

// bin/build.js in a small repository of its own, with the esbuild of this one.

const repository = new URL('../../', import.meta.url)
const thread = { 'thread.ts': "import { shared } from '../base/shared.ts'\nshared()" }
const sources = {
  base: { 'shared.ts': "import 'commander'\nexport const shared = (): void => undefined" },
  cli: {
    'main.ts': "const { late } = await import('./late.ts')\nlate()",
    'late.ts': 'export const late = () => 1',
  },
  replica: thread,
  resolver: {
    threads: { 'thread.ts': 'console.log(1 satisfies number)' },
    recursion: { 'recursor-thread.ts': '' },
    transfer: { 'image-thread.ts': '' },
    zones: { 'zone-thread.ts': '' },
  },
  storage: { snapshot: { 'thread.ts': '' } },
  ui: {
    'index.html': '<link href="{style.css}" /><script src="{app.js}"></script>',
    'main.tsx': 'console.log(1 satisfies number)',
    'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg" />',
    style: { 'main.css': 'a { color: red }' },
  },
}

function build(t: Test, src: typeof sources): { code: number | null; said: string; root: string } {
  const root = t.testdir({
    bin: {},
    'package.json': '{"type": "module"}',
    src,
    dist: {
      'gone.js': '',
      replica: { 'gone.js': '' },
      node_modules: { a: { 'index.js': '' } },
      '.sources.json': '',
    },
  })
  for (const name of ['build.js', 'build-ui.js']) {
    copyFileSync(new URL(`bin/${name}`, repository), join(root, 'bin', name))
  }
  symlinkSync(fileURLToPath(new URL('node_modules', repository)), join(root, 'node_modules'))
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/build.js')], {
    encoding: 'utf8',
  })
  return { code: status, said: stderr, root }
}

t.test(
  'a build makes the program and its threads, and removes what is of an earlier one',
  async (t) => {
    const { root, ...ran } = build(t, sources)
    t.strictSame(ran, { code: 0, said: '' })
    const made = readdirSync(join(root, 'dist'))
    for (const name of ['cli-main', 'replica-thread', 'resolver-threads-thread']) {
      t.ok(made.includes(`${name}.js`), name)
    }
    t.match(
      readFileSync(join(root, 'dist/ui/index.html'), 'utf8'),
      /href="assets\/style-\w+\.css".*src="assets\/app-\w+\.js"/,
    )
    t.notOk(made.includes('gone.js'))
    t.notOk(made.includes('replica'), 'a folder of a build that had one file for each source')
    t.ok(
      existsSync(join(root, 'dist/node_modules/a/index.js')),
      'what an installation put there stays',
    )
    t.ok(made.includes('.sources.json'))
    const text = made
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFileSync(join(root, 'dist', name), 'utf8'))
    t.match(text.join(''), /import ?"commander"/, 'a package is loaded, not bundled')
  },
)

t.test('a source that cannot be read fails the build with its place', async (t) => {
  const { code, said, root } = build(t, {
    ...sources,
    cli: { ...sources.cli, 'main.ts': 'const = 1' },
  })
  t.equal(code, 1)
  t.match(said, /src\/cli\/main\.ts:1:6/)
  t.ok(existsSync(join(root, 'dist/gone.js')), 'what was there stays')
})

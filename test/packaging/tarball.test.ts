import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import t from 'tap'
import { pack } from '../helpers/packed.ts'

const root = new URL('../../', import.meta.url)
const packed = pack()
const paths = packed.files.map(({ path }) => path)

const needed = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'bin/svcd.js',
  'bin/node-check.js',
  'bin/install-sqlite.js',
  'bin/build-tools.js',
  'dist/cli-main.js',
  'dist/replica-thread.js',
  'dist/resolver-threads-thread.js',
  'man/svcd.1',
  'zones/example.zone',
  'docs/operating.md',
  'packaging/systemd/svcd.service',
  'packaging/docker/Dockerfile',
  'test/bench/RESULTS.md',
]

t.test('the tarball has what an installed svcd needs', async (t) => {
  for (const path of needed) t.ok(paths.includes(path), path)
})

t.test('it has nothing that only developers need', async (t) => {
  const tops = new Set(paths.map((path) => path.split('/')[0] ?? ''))
  for (const top of ['src', 'node_modules', '.ci', '.github', '.tap']) t.notOk(tops.has(top), top)
  t.strictSame(
    paths.filter((path) => path.startsWith('test/')),
    ['test/bench/RESULTS.md'],
  )
  const strange = paths.filter((path) =>
    /\.ts$|\.map$|\.tgz$|secret\.json$|\.sources\.json$/.test(path),
  )
  t.strictSame(strange, [])
})

t.test('it is at most 2 MB', async (t) => {
  t.ok(packed.size <= 2_000_000, `${packed.size} bytes`)
})

t.test('the command can be executed', async (t) => {
  const bin = packed.files.find(({ path }) => path === 'bin/svcd.js')
  t.equal((bin?.mode ?? 0) & 0o111, 0o111)
})

/** Where the links of a page lead, inside the tarball: `[text](target)` outside code. */
function relativeLinks(path: string): readonly string[] {
  const text = readFileSync(new URL(path, root), 'utf8')
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
    .map((target) => posix.normalize(posix.join(posix.dirname(path), target)))
}

function isInTarball(path: string): boolean {
  return paths.includes(path) || paths.some((one) => one.startsWith(path.replace(/\/?$/, '/')))
}

t.test('every relative link of its pages leads to a file inside it', async (t) => {
  const pages = paths.filter((path) => path.endsWith('.md'))
  t.ok(pages.length > 10)
  let links = 0
  for (const page of pages) {
    for (const target of relativeLinks(page)) {
      links++
      t.ok(isInTarball(target), `${page} → ${target}`)
    }
  }
  t.ok(links > 20, 'links were found')
})

t.test('its package.json can be published, and says where the project lives', async (t) => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Readonly<
    Record<string, unknown>
  >
  t.notOk('private' in manifest)
  t.notOk('overrides' in manifest, 'npm applies them in this repository only')
  for (const key of ['repository', 'homepage', 'bugs', 'keywords', 'license', 'description']) {
    t.ok(manifest[key], key)
  }
})

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'

// What bin/build-ui.js makes. `npm test` builds before it tests.

const built = new URL('../../dist/ui/', import.meta.url)
const firstLoadBytesMax = 60_000

interface Row {
  readonly path: string
  readonly type: string
  readonly hash: string
}

function read(path: string): Buffer {
  return readFileSync(new URL(path, built))
}

const rows = JSON.parse(read('files.json').toString()) as readonly Row[]
const index = read('index.html').toString()
/** What index.html loads. */
const loaded = [...index.matchAll(/(?:src|href)="\/ui\/([^"]+)"/g)].map(([, path = '']) => path)

t.test(
  'each file lies there with its compressed forms, and has the hash of its content',
  async (t) => {
    t.ok(rows.length >= 4, 'page, script, style, icon')
    for (const { path, hash } of rows) {
      const bytes = read(path)
      t.ok(gunzipSync(read(`${path}.gz`)).equals(bytes), `${path}.gz`)
      t.ok(brotliDecompressSync(read(`${path}.br`)).equals(bytes), `${path}.br`)
      t.equal(createHash('sha256').update(bytes).digest('base64url').slice(0, 16), hash, path)
    }
  },
)

t.test('files below assets/ have a hash in their names', async (t) => {
  const assets = rows.filter(({ path }) => path.startsWith('assets/'))
  for (const { path } of assets) t.match(path, /^assets\/[\w-]+-[A-Z0-9]{8}\.\w+$/)
})

t.test('the page loads only files of its own, and has no code and no style inside', async (t) => {
  const entries = loaded.filter((path) => !path.startsWith('assets/chunk-'))
  t.equal(entries.length, 3, 'script, style, icon')
  t.strictSame(new Set(loaded), withImports(loaded), 'and all that the script imports')
  t.ok(loaded.length <= 6, `${loaded.length} files`)
  for (const path of loaded)
    t.ok(
      rows.some((row) => row.path === path),
      path,
    )
  t.notMatch(index, /<style|style=|\son\w+=|<script>/)
  t.notMatch(index, /(?:src|href)="(?!\/ui\/)/)
})

t.test('no built file names an address outside', async (t) => {
  for (const { path } of rows.filter(({ type }) => /javascript|css/.test(type))) {
    const addresses =
      read(path)
        .toString()
        .match(/https?:\/\/[\w.-]+/g) ?? []
    const outside = addresses.filter(
      (address) => !/\/\/(?:127\.0\.0\.1|www\.w3\.org)$/.test(address),
    )
    t.strictSame(outside, [], path)
  }
})

/** These files and all that they import at once. */
function withImports(paths: readonly string[]): ReadonlySet<string> {
  const all = new Set(paths)
  for (const path of all) {
    if (!path.endsWith('.js')) continue
    const imports = read(path)
      .toString()
      .matchAll(/(?:from|import)"\.\/([\w.-]+)"/g)
    for (const [, name = ''] of imports) all.add(`assets/${name}`)
  }
  return all
}

t.test('the library of the plots is not a part of the first load', async (t) => {
  const drawing = rows.filter(({ path }) => path.startsWith('assets/draw-'))
  t.equal(drawing.length, 1)
  t.notOk(withImports(loaded).has(drawing[0]?.path ?? ''))
  t.match(read('licenses.txt').toString(), /^uplot$/m)
})

t.test('the first load is at most 60 kB', async (t) => {
  const sizes = [...withImports(loaded), 'index.html'].map((path) => read(`${path}.gz`).length)
  const sum = sizes.reduce((all, size) => all + size, 0)
  t.comment(`${sum} bytes`)
  t.ok(sum <= firstLoadBytesMax, `${sum} bytes`)
})

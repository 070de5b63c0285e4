// Makes dist/ui/ of src/ui/: the web UI, bundled for browsers. The names of files below assets/ contain a hash of
// their content, so browsers can keep them. Each file is also written compressed: the agent never compresses one.
import { build } from 'esbuild'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** Packages that are part of the bundle; their licenses ask for a copy. */
const bundled = ['preact', '@preact/signals', '@preact/signals-core', 'uplot']

/** Builds the UI of the package in `root`. */
export async function buildUi(root) {
  const made = await bundle(root)
  const out = join(root, 'dist', 'ui')
  rmSync(out, { recursive: true, force: true })
  const files = [...made.assets, licenses(root)].map((file) => write(out, file))
  const index = { path: 'index.html', bytes: Buffer.from(page(root, made)) }
  // src/node/ui-files.ts reads this list.
  const list = JSON.stringify([write(out, index), ...files])
  writeFileSync(join(out, 'files.json'), list)
}

async function bundle(root) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      app: 'src/ui/main.tsx',
      style: 'src/ui/style/main.css',
      icon: 'src/ui/icon.svg',
    },
    outdir: 'dist/ui/assets',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.svg': 'copy' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    charset: 'utf8',
    minify: true,
    legalComments: 'none',
    write: false,
    metafile: true,
  })
  return {
    firstScripts: importedByApp(metafile.outputs),
    assets: outputFiles.map(({ path, contents }) => ({
      path: inAssets(path),
      bytes: Buffer.from(contents),
    })),
  }
}

/** The files that the app imports. Without a link in the page, browsers ask for them only after they have read the app. */
function importedByApp(outputs) {
  const [app = ''] = Object.keys(outputs).filter((path) => isEntry(inAssets(path), 'app', 'js'))
  const found = new Set([app])
  for (const path of found) {
    for (const { path: next, kind } of outputs[path].imports) {
      if (kind === 'import-statement') found.add(next)
    }
  }
  found.delete(app)
  return [...found].map(inAssets)
}

function inAssets(path) {
  return `assets/${basename(path)}`
}

/** index.html names the entries, and what these import; everything else is loaded by them. */
function page(root, { assets, firstScripts }) {
  const source = readFileSync(join(root, 'src', 'ui', 'index.html'), 'utf8')
  const preloads = firstScripts.map(
    (path) => `<link rel="modulepreload" href="/ui/${path}" />\n    `,
  )
  const html = source.replace('<script', `${preloads.join('')}<script`)
  return html.replaceAll(/\{(\w+)\.(\w+)\}/g, (_all, name, ending) => {
    const found = assets.find(({ path }) => isEntry(path, name, ending))
    if (found === undefined)
      throw new Error(`src/ui/index.html names ${name}.${ending}, which is not built`)
    return found.path
  })
}

function isEntry(path, name, ending) {
  return path.startsWith(`assets/${name}-`) && extname(path) === `.${ending}`
}

function licenses(root) {
  const texts = bundled.map((name) => {
    const text = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8')
    return `${name}\n\n${text}`
  })
  return { path: 'licenses.txt', bytes: Buffer.from(texts.join('\n----\n\n')) }
}

/** Writes a file with its compressed forms; returns its row of the list. */
function write(out, { path, bytes }) {
  const target = join(out, path)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, bytes)
  const level = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
  writeFileSync(`${target}.br`, brotliCompressSync(bytes, { params: level }))
  writeFileSync(`${target}.gz`, gzipSync(bytes, { level: 9 }))
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
  return { path, type: types[extname(path)] ?? 'application/octet-stream', hash }
}

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'

// The hooks of typescript.mjs: they run in a thread of their own.

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Part of the hash of every file: another release makes them anew. */
const { version } = createRequire(import.meta.url)('ts-blank-space/package.json')
let cache = ''

export function initialize(directory) {
  cache = directory
}

/** Without it Node reads every file once more, to find out what it could be. */
export function resolve(specifier, context, nextResolve) {
  const isSource = /^(?:\.|file:).*\.ts$/.test(specifier) && context.parentURL !== undefined
  if (!isSource) return nextResolve(specifier, context)
  const url = new URL(specifier, context.parentURL).href
  return { url, format: 'module', shortCircuit: true }
}

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context)
  return { format: 'module', shortCircuit: true, source: await stripped(fileURLToPath(url)) }
}

async function stripped(path) {
  const source = readFileSync(path, 'utf8')
  const hash = createHash('sha256').update(version).update(source).digest('hex')
  const kept = join(cache, relative(root, path).replaceAll(/[\\/]/g, '+'))
  const text = readIfThere(kept)
  if (text?.startsWith(hash) === true) return text.slice(hash.length)
  // Loaded only after a change: the compiler alone takes half a second.
  const { default: strip } = await import('ts-blank-space')
  const code = strip(source, ({ pos, end }) => {
    throw new Error(`${path}: more than a type: ${source.slice(pos, end).trim()}`)
  })
  write(kept, hash + code)
  return code
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Whole or not at all: test files run at the same time. */
function write(path, text) {
  mkdirSync(cache, { recursive: true })
  const temporary = `${path}.${process.pid}.${threadId}.tmp`
  writeFileSync(temporary, text)
  renameSync(temporary, path)
}

// Threads of the program that a test starts run from dist/, as they do for a user, if dist/ was made from the
// sources as they are. From the sources, each loads hundreds of files through hooks in one more thread, which
// costs most of a second of CPU. Sources that changed after the build are run themselves.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import threads from 'node:worker_threads'
import { buildIsCurrent } from '../../bin/build-state.js'

const root = new URL('../../', import.meta.url)
const sources = new URL('src/', root).href

/** The build does not change while a test file runs, and to compare it with the sources takes some ms. */
let isCurrent

/** The bundle of a thread's source; undefined for another file, and if the sources have changed since. */
export function builtThread(file, isBuilt = () => (isCurrent ??= buildIsCurrent())) {
  if (!(file instanceof URL) || !file.href.startsWith(sources)) return undefined
  const name = file.href.slice(sources.length).replace(/\.ts$/, '').replaceAll('/', '-')
  const built = new URL(`dist/${name}.js`, root)
  return existsSync(fileURLToPath(built)) && isBuilt() ? built : undefined
}

export function runBuiltThreads() {
  const { Worker } = threads
  threads.Worker = class extends Worker {
    constructor(file, options) {
      const built = builtThread(file)
      if (built === undefined) super(file, options)
      // Without flags: they load the hooks for the sources.
      else super(built, { execArgv: [], ...options })
    }
  }
  module.syncBuiltinESMExports()
}

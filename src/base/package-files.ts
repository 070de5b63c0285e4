// Where the files of this package are. The sources are in folders, but the build puts all bundles into one
// folder, so paths relative to a source file are wrong there.

const isSource = import.meta.url.endsWith('.ts')
const root = new URL(isSource ? '../../' : '../', import.meta.url)

/** The URL of a file of the package, by its path from the root of it. */
export function packageFile(path: string): URL {
  return new URL(path, root)
}

/**
 * The URL of a thread's file, by the path of its source in src/, without extension: `replica/thread`.
 * bin/build.js lists the threads.
 */
export function threadFile(source: string): URL {
  return packageFile(isSource ? `src/${source}.ts` : `dist/${source.replaceAll('/', '-')}.js`)
}

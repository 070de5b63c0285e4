import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

/** The majors of Node that svcd is tested on. */
export const supportedMajors = [20, 22, 24, 26] as const

/** Where `npm run on-node` keeps the Nodes that it has fetched. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'svcd-nodes')

/** Fetched from the npm registry: a package that holds nothing but a Node for this machine. */
export const packageOf = (major: number): string =>
  `node-${process.platform}-${process.arch}@${major}`

export const cacheOf = (major: number): string => join(cache, String(major))

/** The program of a Node of this major; undefined when none is at hand (`npm run on-node -- MAJOR`). */
export function nodeAtHand(major: number): string | undefined {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const [name = ''] = packageOf(major).split('@')
  const path = join(cacheOf(major), 'node_modules', name, 'bin', 'node')
  return existsSync(path) ? path : undefined
}

/** The environment in which `node`, and npm with it, is the Node at `path`. */
export function environmentOf(path: string): NodeJS.ProcessEnv {
  const PATH = [dirname(path), process.env['PATH'] ?? ''].join(delimiter)
  return { ...process.env, PATH, NODE: path, npm_node_execpath: path }
}

/** `v24.21.0` */
export function versionOf(path: string): string {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
}

// bin/svcd.js and bin/ensure.js call this before they load anything else. Plain JavaScript that a Node
// too old for svcd can read, too.
import { readFileSync } from 'node:fs'

/** Why svcd does not run on this version of Node, with the next step; undefined when it does. */
export function nodeFault(version = process.versions.node) {
  const manifest = new URL('../package.json', import.meta.url)
  const range = JSON.parse(readFileSync(manifest, 'utf8')).engines.node
  if (isInRange(version, range)) return undefined
  const newest = range.split('>=').pop()
  return `Node ${version} is not supported. svcd needs ${inWords(range)}. Install one of these from https://nodejs.org, or switch with your version manager (nvm install ${newest.split('.')[0]}).`
}

/** Ranges as `engines` has them here: `^1.2.3` and `>=1.2.3`, joined by `||`. */
export function isInRange(version, range) {
  return range.split('||').some((part) => {
    const lowest = part.trim().replace(/^(\^|>=)/, '')
    const sameMajor = !part.trim().startsWith('^') || major(version) === major(lowest)
    return sameMajor && compareVersions(version, lowest) >= 0
  })
}

function inWords(range) {
  return range
    .split('||')
    .map((part) => part.trim().replace(/^\^(\d+)([\d.]*)/, 'Node $1 ($1$2 or later)'))
    .map((part) => part.replace(/^>=([\d.]+)/, 'Node $1 or later'))
    .join(', or ')
}

function major(version) {
  return version.split('.')[0]
}

function compareVersions(a, b) {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (let at = 0; at < 3; at++) {
    const difference = (left[at] || 0) - (right[at] || 0)
    if (difference !== 0) return difference
  }
  return 0
}

// What a machine needs to compile better-sqlite3, and how to install it. Plain JavaScript without
// dependencies: bin/ensure.js and bin/install-sqlite.js run before there are any.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** The missing tools, in words; empty if this machine has all. */
export function missingBuildTools() {
  const missing = []
  if (!canRun('c++') && !canRun('g++') && !canRun('clang++')) missing.push('C++ compiler')
  if (!canRun('make')) missing.push('make')
  if (!canRun('python3')) missing.push('python3')
  return missing
}

/** `make, python3 or C++ compiler` */
export function inWords(tools) {
  return tools.join(', ').replace(/, ([^,]*)$/, ' or $1')
}

function canRun(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** A sentence without its full stop. */
export function howToInstallTools() {
  if (process.platform === 'darwin') return 'Install the tools with: xcode-select --install'
  if (existsSync('/sbin/apk')) return 'Install the tools with: apk add build-base python3'
  if (existsSync('/usr/bin/dnf')) return 'Install the tools with: dnf install gcc-c++ make python3'
  if (existsSync('/usr/bin/apt-get')) {
    return 'Install the tools with: apt-get install build-essential python3'
  }
  return 'Install a C++ compiler, make and python3'
}

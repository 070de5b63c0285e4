#!/usr/bin/env node
// Makes `npm start` and `npm test` work from a clean clone: checks Node, installs the packages when
// they are missing or differ from package-lock.json, and builds dist/ when a source has changed.
// The build does not check types, which takes longer than all the rest: `npm run check` does.
// Plain JavaScript without dependencies, because it runs before any are installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildIsCurrent, rememberBuild, sourceManifest } from './build-state.js'
import { howToInstallTools, inWords, missingBuildTools } from './build-tools.js'
import { nodeFault } from './node-check.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const fault = nodeFault()
if (fault !== undefined) stop(fault)
if (!packagesAreInstalled()) install()
checkSqlite()
if (!buildIsCurrent()) build()

/** Compares what npm last installed with what the lock file asks for; times of files say nothing. */
function packagesAreInstalled() {
  const installedPath = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedPath)) return false
  const installed = readJson(installedPath).packages
  const wanted = readJson(join(root, 'package-lock.json')).packages
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true
    const found = installed[path]
    // An optional package may be missing: it can be meant for another platform.
    return found === undefined ? optional === true : found.version === version
  })
}

/** Compiles nothing: .npmrc turns the packages' own scripts off. */
function install() {
  say('installing dependencies (npm ci)')
  if (runNpm(['ci', '--no-fund', '--no-audit'])) return
  stop(
    'npm ci failed; see its message above. Check the network and the npm registry (npm ping), then run this command again.',
  )
}

/**
 * better-sqlite3 is native code, and a release of its own for Node 20; src/storage/sqlite-driver.ts
 * says why. npm leaves the other one out on Node 20, so it is missing when this Node is newer than
 * the one that installed the packages.
 */
function checkSqlite() {
  const driver = Number(process.versions.napi) >= 10 ? 'better-sqlite3' : 'better-sqlite3-node20'
  if (!existsSync(driverPath(driver, 'package.json'))) installDriver(driver)
  if (sqliteLoads(driver)) return
  say(`building ${driver} for this version of Node; this takes about a minute`)
  if (buildDriver(driver) && sqliteLoads(driver)) return
  const missing = missingBuildTools()
  const cause = missing.length > 0 ? `, because this machine has no ${inWords(missing)}` : ''
  stop(
    `Could not build ${driver} for Node ${process.versions.node}${cause}. ${howToInstallTools()}, then run this command again.`,
  )
}

/** Adds what is missing, and leaves what is there as it is (npm ci would remove a built driver). */
function installDriver(driver) {
  say(`installing ${driver} for this version of Node`)
  const include = ['--include=dev', '--include=optional']
  const added = runNpm(['install', '--no-save', '--no-fund', '--no-audit', ...include])
  if (added && existsSync(driverPath(driver, 'package.json'))) return
  stop(
    `Could not install ${driver}; see the message of npm above. Check the network and the npm registry (npm ping), then run this command again.`,
  )
}

/** The one for Node 20 has a script that fetches or compiles its binary; the other only compiles. */
function buildDriver(driver) {
  return driver === 'better-sqlite3-node20'
    ? runNpm(['rebuild', '--ignore-scripts=false', driver])
    : runNpm(['run', 'build-release'], driverPath(driver))
}

function sqliteLoads(driver) {
  if (driver === 'better-sqlite3-node20' && !existsSync(driverPath(driver, 'build'))) return false
  try {
    const Database = createRequire(join(root, 'package.json'))(driver)
    new Database(':memory:').close()
    return true
  } catch {
    // In a process of its own: a native module that was loaded once cannot be loaded again.
    const code = `new (require('${driver}'))(':memory:').close()`
    return spawnSync(process.execPath, ['-e', code], { cwd: root }).status === 0
  }
}

function driverPath(driver, ...names) {
  return join(root, 'node_modules', driver, ...names)
}

function build() {
  say('building dist/')
  const manifest = sourceManifest()
  if (!runNpm(['run', '--silent', 'build'])) {
    stop('The build failed; see the messages above.')
  }
  rememberBuild(manifest)
}

/** Runs npm as it was run for this script, and shows its output; true when it went well. */
function runNpm(args, cwd = root) {
  const npm = process.env.npm_execpath
  const result =
    npm === undefined
      ? spawnSync('npm', args, { cwd, stdio: 'inherit' })
      : spawnSync(process.execPath, [npm, ...args], { cwd, stdio: 'inherit' })
  return result.status === 0
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function say(text) {
  console.error(`svcd: ${text}`)
}

function stop(text) {
  say(text)
  process.exit(1)
}

import { createRequire } from 'node:module'
import type Sqlite from 'better-sqlite3'
import { reasonOf, svcdError } from '../base/errors.ts'

/** One release of better-sqlite3: the name that package.json gives it, and its versions there. */
export interface SqliteDriver {
  readonly name: 'better-sqlite3' | 'better-sqlite3-node20'
  readonly range: string
}

/** Uses Node-API 10, which Node has from 22.14 on. Loaded by an older Node it ends the process. */
const onNodeApi = { name: 'better-sqlite3', range: '~13.2.0' } as const
/** For older Nodes. On Node 24.19 and newer it ends the process when a Statement is collected. */
const onNode20 = { name: 'better-sqlite3-node20', range: '~12.11.1' } as const

/** The release for a Node that has this version of Node-API (`process.versions.napi`). */
export function driverFor(nodeApi: string): SqliteDriver {
  return Number(nodeApi) >= 10 ? onNodeApi : onNode20
}

let loaded: typeof Sqlite | undefined

/** better-sqlite3 for this Node. Throws SvcdError `sqlite-unavailable` when it does not load. */
export function loadSqlite(): typeof Sqlite {
  loaded ??= load(driverFor(process.versions['napi'] ?? '0'))
  return loaded
}

function load(driver: SqliteDriver): typeof Sqlite {
  const require = createRequire(import.meta.url)
  try {
    const required: unknown =
      driver.name === 'better-sqlite3'
        ? require('better-sqlite3')
        : require('better-sqlite3-node20')
    const Driver = required as typeof Sqlite
    // The native part is loaded by the first database, and only then known to fit.
    new Driver(':memory:').close()
    return Driver
  } catch (error) {
    const [reason = ''] = reasonOf(error).split('\n')
    const node = process.versions.node
    throw svcdError(
      'sqlite-unavailable',
      { ...driver, node, reason, next: nextStep(driver, import.meta.url) },
      error,
    )
  }
}

/** How to install the driver, depending on whether `url` is in an installed package or a clone. */
export function nextStep({ name, range }: SqliteDriver, url: string): string {
  if (!url.includes('/node_modules/')) return 'Run `node bin/ensure.js`, which installs it.'
  const spec =
    name === 'better-sqlite3' ? `${name}@${range}` : `${name}@npm:better-sqlite3@${range}`
  return `Install it next to svcd: \`npm install -g "${spec}"\` (without -g in a project).`
}

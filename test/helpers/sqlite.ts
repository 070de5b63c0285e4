import { loadSqlite } from '../../src/storage/sqlite-driver.ts'

/** better-sqlite3, in the release for this Node. */
export const Sqlite = loadSqlite()

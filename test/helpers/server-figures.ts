import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterServer } from './cluster-process.ts'
import { Sqlite } from './sqlite.ts'

/** What one server holds at one moment; bytes in MB (10^6). */
export interface ServerFigures {
  readonly name: string
  readonly residentMb: number
  /** Heaps by thread, as the server tells them. */
  readonly heapsMb: Readonly<Record<string, number>>
  /** Of the data directory's files, and of all snapshots. */
  readonly filesMb: Readonly<Record<string, number>>
  /** By table of state.db. */
  readonly rows: Readonly<Record<string, number>>
  readonly descriptors: number
}

export async function figuresOf(server: ClusterServer): Promise<ServerFigures> {
  const { pid, directory, name } = server
  return {
    name,
    residentMb: residentMb(pid),
    heapsMb: await heapsOf(server),
    filesMb: {
      'raft.db': fileMb(directory, 'raft.db'),
      'raft.db-wal': fileMb(directory, 'raft.db-wal'),
      'state.db': fileMb(directory, 'state.db'),
      'state.db-wal': fileMb(directory, 'state.db-wal'),
      snapshots: folderMb(join(directory, 'snapshots')),
    },
    rows: rowsIn(join(directory, 'state.db')),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  }
}

export function residentMb(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kib) * 1024) / 1e6
}

function fileMb(directory: string, file: string): number {
  return (statSync(join(directory, file), { throwIfNoEntry: false })?.size ?? 0) / 1e6
}

/** Files may go while they are counted. */
function folderMb(directory: string): number {
  return readdirSync(directory).reduce((sum, file) => sum + fileMb(directory, file), 0)
}

interface Gauge {
  readonly Name: string
  readonly Value: number
  readonly Labels: Readonly<Record<string, string>>
}

async function heapsOf(server: ClusterServer): Promise<Record<string, number>> {
  const { Gauges } = await server.get<{ Gauges: readonly Gauge[] }>('agent/metrics')
  const heaps = Gauges.filter((gauge) => gauge.Name === 'svcd.thread.heap_bytes')
  return Object.fromEntries(heaps.map(({ Labels, Value }) => [Labels['thread'], Value / 1e6]))
}

function rowsIn(file: string): Record<string, number> {
  const db = new Sqlite(file, { readonly: true, timeout: 5000 })
  try {
    // Of one moment: the server goes on writing, and the tables are compared with each other.
    return db.transaction(() => {
      const tables = db
        .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .all()
      return Object.fromEntries(
        tables.map(({ name }) => [
          name,
          Number(db.prepare(`SELECT count(*) FROM ${name}`).pluck().get()),
        ]),
      )
    })()
  } finally {
    db.close()
  }
}

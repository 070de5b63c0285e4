import { parentPort, workerData } from 'node:worker_threads'
import { must } from '../../base/assert.ts'
import { SvcdError } from '../../base/errors.ts'
import type { ErrorCode } from '../../base/errors.ts'
import type { Name } from '../../dns/name.ts'
import { readZoneFiles } from './zone-files.ts'
import type { ZoneFiles } from './zone-files.ts'

export interface ZoneThreadData {
  readonly directory: string
  /** The registry's domains. */
  readonly domains: readonly Name[]
}

/** What the thread says at its end. */
export type ZoneThreadResult =
  { readonly files: ZoneFiles } | { readonly code: ErrorCode; readonly message: string }

function run(): ZoneThreadResult {
  try {
    const { directory, domains } = workerData as ZoneThreadData
    return { files: readZoneFiles(directory, domains) }
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    // An error loses its class on the way to another thread.
    return { code: error.code, message: error.message }
  }
}

must(parentPort, 'zone files are read in a worker').postMessage(run())

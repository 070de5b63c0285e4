import { parentPort, workerData } from 'node:worker_threads'
import { must } from '../base/assert.ts'
import { SvcdError } from '../base/errors.ts'
import type { ErrorCode } from '../base/errors.ts'
import { readZoneFiles } from './zone-files.ts'
import type { ZoneFiles } from './zone-files.ts'

/** What the thread says at its end. */
export type ZoneThreadResult =
  { readonly files: ZoneFiles } | { readonly code: ErrorCode; readonly message: string }

function run(): ZoneThreadResult {
  try {
    return { files: readZoneFiles(workerData as string) }
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    // An error loses its class on the way to another thread.
    return { code: error.code, message: error.message }
  }
}

must(parentPort, 'zone files are read in a worker').postMessage(run())

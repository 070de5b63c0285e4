import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { must } from '../../base/assert.ts'
import { SvcdError } from '../../base/errors.ts'
import type { ErrorCode } from '../../base/errors.ts'
import { runSnapshotJob } from './job.ts'
import type { SnapshotFacts, SnapshotJob } from './job.ts'

/** What the thread says at its end. */
export type SnapshotThreadResult =
  { readonly facts: SnapshotFacts } | { readonly code: ErrorCode; readonly message: string }

function run(): SnapshotThreadResult {
  try {
    return { facts: runSnapshotJob(workerData as SnapshotJob) }
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    // An error loses its class on the way to another thread.
    return { code: error.code, message: error.message }
  }
}

/** Only an operator waits for it: writes and answers go first. Linux lowers just this thread. */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(constants.priority.PRIORITY_LOW)
  } catch {
    // A sandbox may forbid it, as a SystemCallFilter= without setpriority does. Then it competes with the others.
  }
}

lowerPriority()

must(parentPort, 'snapshots are made in a worker').postMessage(run())

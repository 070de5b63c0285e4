import { once } from 'node:events'
import { SvcdError } from '../../base/errors.ts'
import { threadFile } from '../../base/package-files.ts'
import { startThread } from '../../process/threads.ts'
import type { SnapshotFacts, SnapshotJob } from './job.ts'
import type { SnapshotThreadResult } from './thread.ts'

export type RunSnapshotJob = (job: SnapshotJob) => Promise<SnapshotFacts>

/** Runs one job in a thread of its own. Rejects as {@link file://./snapshot-job.ts} throws. */
export async function inSnapshotThread(job: SnapshotJob): Promise<SnapshotFacts> {
  const worker = startThread(threadFile('storage/snapshot/thread'), { workerData: job })
  const [result] = (await once(worker, 'message')) as [SnapshotThreadResult]
  if ('facts' in result) return result.facts
  throw new SvcdError(result.code, result.message)
}

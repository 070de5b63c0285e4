import { once } from 'node:events'
import { SvcdError, reasonOf, svcdError } from '../../base/errors.ts'
import type { Name } from '../../dns/name.ts'
import { threadFile } from '../../base/package-files.ts'
import { startThread } from '../../process/threads.ts'
import type { ZoneFiles } from './zone-files.ts'
import type { ZoneThreadData, ZoneThreadResult } from './zone-thread.ts'

/** Much is made together and kept: a large nursery halves the time, and the thread ends soon. */
const resourceLimits = { maxYoungGenerationSizeMb: 256, maxOldGenerationSizeMb: 4096 }

/**
 * Reads the zone files of a directory in a thread of its own: a million records take seconds, in
 * which this one has checks to run and requests to answer. Rejects with `zone-invalid`.
 */
export async function loadZoneFiles(
  directory: string | undefined,
  domains: readonly Name[],
): Promise<ZoneFiles> {
  if (directory === undefined) return { zones: [], warnings: [] }
  const worker = startThread(threadFile('resolver/zones/zone-thread'), {
    workerData: { directory, domains } satisfies ZoneThreadData,
    resourceLimits,
  })
  // Files that do not fit into memory end the thread, and nothing else.
  const [result] = (await once(worker, 'message').catch((error: unknown) => {
    throw svcdError('zone-invalid', { reason: `${directory}: ${reasonOf(error)}` }, error)
  })) as [ZoneThreadResult]
  if ('files' in result) return result.files
  throw new SvcdError(result.code, result.message)
}

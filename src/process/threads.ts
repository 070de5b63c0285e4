import { Worker } from 'node:worker_threads'
import type { WorkerOptions } from 'node:worker_threads'

/** Threads that have sent nothing so far: they may be loading a native addon. */
const loading = new Set<Worker>()
/** How long the end of the process waits for them. */
const loadingMsMax = 2000
let isEnding = false

/**
 * Starts a thread of this program. It must send its first message after it has loaded its addons (SQLite, koffi).
 * `file`: see threadFile in base/package-files.ts.
 */
export function startThread(file: URL, options: WorkerOptions): Worker {
  const worker = new Worker(file, options)
  loading.add(worker)
  const loaded = (): void => void loading.delete(worker)
  worker.once('message', loaded)
  worker.once('exit', loaded)
  return worker
}

/**
 * Ends the process with an exit code, whatever it is doing. It waits for threads that are loading: when Node ends a
 * thread in which an addon is being initialized, the addon aborts the process (SIGABRT), and the exit code is lost.
 */
export function endProcess(code: number): void {
  if (isEnding) return
  isEnding = true
  const end = (): never => process.exit(code)
  if (loading.size === 0) end()
  setTimeout(end, loadingMsMax)
  const endWhenLoaded = (): void => {
    if (loading.size === 0) end()
  }
  for (const worker of loading) {
    worker.once('message', endWhenLoaded)
    worker.once('exit', endWhenLoaded)
  }
}

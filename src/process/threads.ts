import { Worker } from 'node:worker_threads'
import type { WorkerOptions } from 'node:worker_threads'

/** Threads that have sent nothing so far: they may be loading a native addon. */
const loading = new Set<Worker>()
/** How long the end of the process waits for them. */
const loadingMsMax = 2000
/** Undefined while the process is not ending. */
let exitCode: number | undefined

/**
 * Starts a thread of this program. It must send its first message after it has loaded its addons (SQLite, koffi).
 * `file`: see threadFile in base/package-files.ts.
 */
export function startThread(file: URL, options: WorkerOptions): Worker {
  const worker = new Worker(file, options)
  loading.add(worker)
  const onLoaded = (): void => {
    loading.delete(worker)
    // After the listeners of the thread's owner.
    setImmediate(endIfLoaded)
  }
  worker.once('message', onLoaded)
  worker.once('exit', onLoaded)
  return worker
}

/**
 * Ends the process with an exit code, whatever it is doing. It waits for threads that are loading: when Node ends a
 * thread in which an addon is being initialized, the addon aborts the process (SIGABRT), and the exit code is lost.
 */
export function endProcess(code: number): void {
  if (exitCode !== undefined) return
  exitCode = code
  endIfLoaded()
  setTimeout(() => process.exit(code), loadingMsMax)
}

function endIfLoaded(): void {
  if (exitCode !== undefined && loading.size === 0) process.exit(exitCode)
}

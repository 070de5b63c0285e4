import { Worker } from 'node:worker_threads'
import { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Zone } from '../dns/zone.ts'
import type { DnsWorkerData, FromDns, ToDns } from './dns-messages.ts'
import { workerUrl } from './worker-url.ts'

/** Deaths within a minute after which something is wrong that a restart does not mend. */
const deathsMax = 5
const deathWindowMs = 60_000

/** The main thread's end of a dns thread: starts it, starts it again when it dies, stops it. */
export class DnsWorker {
  #data: DnsWorkerData
  readonly #logger: Logger
  readonly #onDeath: (error: Error) => void
  #worker: Worker | undefined
  #stopping = false
  #deaths: number[] = []

  private constructor(data: DnsWorkerData, logger: Logger, onDeath: (error: Error) => void) {
    this.#data = data
    this.#logger = logger
    this.#onDeath = onDeath
  }

  /** Resolves when it answers. Rejects with `port-in-use` or `bind-failed`. */
  static async start(
    data: DnsWorkerData,
    logger: Logger,
    onDeath: (error: Error) => void,
  ): Promise<DnsWorker> {
    const worker = new DnsWorker(data, logger, onDeath)
    await worker.#spawn()
    return worker
  }

  /** Resolves when the thread answers by it; one that is started again later gets it too. */
  async setZone(zone: Zone): Promise<void> {
    this.#data = { ...this.#data, answering: { ...this.#data.answering, zone } }
    const worker = this.#worker
    if (worker === undefined) return
    await new Promise<void>((resolve) => {
      const onMessage = (message: FromDns): void => {
        if (message.type === 'zone-set') done()
      }
      const done = (): void => {
        worker.off('message', onMessage)
        worker.off('exit', done)
        resolve()
      }
      worker.on('message', onMessage)
      worker.on('exit', done)
      worker.postMessage({ type: 'zone', zone } satisfies ToDns)
    })
  }

  /** Lets the answers in flight leave, then ends the thread. */
  async stop(): Promise<void> {
    this.#stopping = true
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
    })
    worker.postMessage({ type: 'stop' } satisfies ToDns)
    await ended
  }

  #spawn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(workerUrl('dns-thread', import.meta.url), {
        workerData: this.#data,
      })
      this.#worker = worker
      let isReady = false
      worker.on('error', (error) => {
        this.#logger.error({ err: error }, 'a dns thread failed')
      })
      worker.on('exit', () => {
        this.#worker = undefined
        if (!isReady) reject(new Error('the dns thread ended before it could answer'))
        else if (!this.#stopping) this.#restart()
      })
      worker.on('message', (message: FromDns) => {
        if (message.type === 'warn') this.#logger.warn(message.fields, message.message)
        else if (message.type === 'refused') reject(new SvcdError(message.code, message.message))
        else if (message.type === 'ready') {
          isReady = true
          resolve()
        }
      })
    })
  }

  #restart(): void {
    const nowMs = performance.now()
    this.#deaths = [...this.#deaths.filter((atMs) => nowMs - atMs < deathWindowMs), nowMs]
    if (this.#deaths.length > deathsMax) {
      this.#onDeath(new Error(`a dns thread died ${this.#deaths.length} times within a minute`))
      return
    }
    this.#spawn().catch((error: unknown) => {
      this.#onDeath(error instanceof Error ? error : new Error(String(error)))
    })
  }
}

import type { Worker } from 'node:worker_threads'
import { SvcdError, reasonOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Zone } from '../../dns/zone.ts'
import type { Waker } from '../../net/udp/waker.ts'
import type { DnsRights } from '../dns-rights.ts'
import type { RecursorWorker } from '../recursion/recursor-worker.ts'
import { askThread } from './ask-thread.ts'
import { DnsCounters } from './counters.ts'
import type { DnsFigures } from './counters.ts'
import type { DeathCount } from './death-count.ts'
import type { DnsAnswering, DnsThreadUdp, DnsWorkerData, FromDns, ToDns } from './messages.ts'
import type { TrafficSample } from '../traffic/traffic-window.ts'
import { threadLimits } from '../../process/thread-heaps.ts'
import { threadFile } from '../../base/package-files.ts'
import { startThread } from '../../process/threads.ts'

export interface DnsWorkerOptions {
  readonly answering: DnsAnswering
  readonly udp: DnsThreadUdp
  /** Calls a thread that blocks, after each message to it. */
  readonly waker: Waker | undefined
  readonly deaths: DeathCount
  /** Undefined: queries for outside names are refused. */
  readonly recursor: RecursorWorker | undefined
  readonly logger: Logger
  /** A read of the thread met what looks like damage of state.db. */
  readonly onSuspicion: (reason: string) => void
  readonly onDeath: (error: Error) => void
  /** Takes lines of the query log. */
  readonly onLines?: ((text: string) => void) | undefined
}

/** What a thread answers to what it was told. */
type Answer<T extends FromDns['type']> = Extract<FromDns, { readonly type: T }>

/** The main thread's end of a dns thread: starts it, starts it again when it dies, stops it. */
export class DnsWorker {
  readonly #options: DnsWorkerOptions
  readonly #counters = new DnsCounters()
  #data: DnsWorkerData
  #worker: Worker | undefined
  /** Why the last one that died did so. */
  #reason = ''
  #stopping = false

  private constructor(options: DnsWorkerOptions) {
    this.#options = options
    const { answering, udp, recursor } = options
    const lane = recursor?.openLane()
    const counters = this.#counters.buffer
    this.#data = { answering, udp, counters, recursorPort: undefined, lane }
    options.recursor?.onRestart(() => this.#reconnect())
  }

  /** What the thread has done, and those before it that died. */
  get figures(): DnsFigures {
    return this.#counters.read()
  }

  /** Resolves when it answers. Rejects with `port-in-use` or `bind-failed`. */
  static async start(options: DnsWorkerOptions): Promise<DnsWorker> {
    const worker = new DnsWorker(options)
    await worker.#spawn()
    return worker
  }

  /** Resolves when the thread uses it; a restarted thread gets it too. */
  async setZone(zone: Zone): Promise<void> {
    this.#data = { ...this.#data, answering: { ...this.#data.answering, zone } }
    await this.#tell({ type: 'zone', zone }, 'zone-set')
  }

  /** As {@link setZone}. */
  async setRights(rights: DnsRights): Promise<void> {
    this.#data = { ...this.#data, answering: { ...this.#data.answering, rights } }
    await this.#tell({ type: 'rights', rights }, 'rights-set')
  }

  /** One query of so many gets a line in the query log; a restarted thread continues with it. */
  logEvery(every: number): void {
    const { observing } = this.#data.answering
    if (observing === undefined) return
    const answering = { ...this.#data.answering, observing: { ...observing, logEvery: every } }
    this.#data = { ...this.#data, answering }
    if (this.#worker !== undefined) this.#send(this.#worker, { type: 'log-every', every })
  }

  /** What the thread has seen of late; undefined: it has ended. */
  async traffic(): Promise<TrafficSample | undefined> {
    return (await this.#tell({ type: 'traffic' }, 'traffic-seen'))?.sample
  }

  #reconnect(): void {
    const port = this.#options.recursor?.connect()
    if (port === undefined || this.#worker === undefined) return
    this.#worker.postMessage({ type: 'recursor', port } satisfies ToDns, [port])
    this.#options.waker?.wake()
  }

  /** Undefined: the thread has ended. */
  async #tell<T extends FromDns['type']>(told: ToDns, answer: T): Promise<Answer<T> | undefined> {
    const worker = this.#worker
    if (worker === undefined) return undefined
    return askThread(
      worker,
      () => this.#send(worker, told),
      (message) => ((message as FromDns).type === answer ? (message as Answer<T>) : undefined),
    )
  }

  /** Lets the answers in flight leave, then ends the thread. */
  async stop(): Promise<void> {
    this.#stopping = true
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
    })
    this.#send(worker, { type: 'stop' })
    await ended
  }

  #send(worker: Worker, message: ToDns): void {
    worker.postMessage(message)
    this.#options.waker?.wake()
  }

  /** `isRestart`: it may die before it answers as it may die later. */
  #spawn(isRestart = false): Promise<void> {
    const { logger, recursor } = this.#options
    const recursorPort = recursor?.connect()
    return new Promise((resolve, reject) => {
      const worker = startThread(threadFile('resolver/threads/thread'), {
        resourceLimits: threadLimits,
        workerData: { ...this.#data, recursorPort } satisfies DnsWorkerData,
        ...(recursorPort === undefined ? {} : { transferList: [recursorPort] }),
      })
      this.#worker = worker
      const { threadId } = worker
      let isReady = isRestart
      this.#reason = 'it exited without an error'
      worker.on('error', (error) => {
        this.#reason = reasonOf(error)
        logger.error({ err: error }, 'a DNS thread failed')
      })
      worker.on('exit', () => {
        this.#worker = undefined
        if (this.#data.lane !== undefined) recursor?.closeLane(this.#data.lane, threadId)
        if (!isReady) {
          reject(new Error(`the DNS thread ended before it was ready: ${this.#reason}`))
        } else if (!this.#stopping) this.#restart()
      })
      worker.on('message', (message: FromDns) => {
        if (message.type === 'warn') logger.warn(message.fields, message.message)
        else if (message.type === 'suspicion') this.#options.onSuspicion(message.reason)
        else if (message.type === 'query-lines') this.#options.onLines?.(message.text)
        else if (message.type === 'refused') reject(new SvcdError(message.code, message.message))
        else if (message.type === 'ready') {
          isReady = true
          resolve()
        }
      })
    })
  }

  #restart(): void {
    const { deaths, onDeath } = this.#options
    const count = deaths.tooMany(performance.now())
    if (count !== undefined) {
      const last = `DNS threads failed ${count} times within a minute, most recently: ${this.#reason}`
      onDeath(
        new Error(
          `${last}. Start the agent again. If they fail again, try another value for -dns-udp.`,
        ),
      )
      return
    }
    this.#options.logger.warn({}, 'a DNS thread ended; restarting it on the same sockets')
    this.#spawn(true).catch((error: unknown) => {
      onDeath(error instanceof Error ? error : new Error(String(error)))
    })
  }
}

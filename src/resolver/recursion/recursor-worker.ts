import { MessageChannel } from 'node:worker_threads'
import type { MessagePort, Worker } from 'node:worker_threads'
import { randomBytes } from 'node:crypto'
import { reasonOf } from '../../base/errors.ts'
import type { BoundAddress } from '../../base/host-port.ts'
import type { Logger } from '../../base/log.ts'
import { threadFile } from '../../base/package-files.ts'
import { DescriptorList } from '../../net/udp/descriptor-list.ts'
import { loadLibc } from '../../process/libc.ts'
import { CacheMemory, newCache } from '../../recursor/cache-layout.ts'
import { newUpstreamStates } from '../../recursor/upstreams.ts'
import { threadLimits } from '../../process/thread-heaps.ts'
import { startThread } from '../../process/threads.ts'
import { askThread } from '../threads/ask-thread.ts'
import { DeathCount } from '../threads/death-count.ts'
import type { ObserverShare } from '../traffic/messages.ts'
import type { TrafficSample } from '../traffic/traffic-window.ts'
import type {
  FromRecursorThread,
  LaneShare,
  RecursorSettings,
  RecursorWorkerData,
  ToRecursorThread,
} from './messages.ts'
import { RecursorCounters } from './recursor-counters.ts'
import type { RecursorFigures } from './recursor-counters.ts'

export interface RecursionOptions extends Omit<RecursorSettings, 'cache' | 'upstreams'> {
  readonly cacheBytesMax: number
  /** The networks whose clients may ask for outside names. */
  readonly allow: readonly string[]
}

/** The figures of recursion. */
export interface RecursionFigures extends RecursorFigures {
  readonly addresses: readonly BoundAddress[]
  readonly cacheEntries: number
  readonly cacheBytesMax: number
}

/** The main thread's end of the recursor thread: starts it, starts it again when it dies, stops it. */
export class RecursorWorker {
  readonly settings: RecursorSettings
  readonly memory: CacheMemory
  readonly #counters: RecursorCounters
  readonly #lanes: RecursorCounters[] = []
  readonly #logger: Logger
  readonly #onDeath: (error: Error) => void
  readonly #deaths = new DeathCount()
  readonly #listeners: (() => void)[] = []
  readonly #onLines: (text: string) => void
  #observing: ObserverShare
  #worker: Worker
  #isStopping = false

  constructor(
    options: RecursionOptions,
    logger: Logger,
    onDeath: (error: Error) => void,
    observing: ObserverShare,
    onLines: (text: string) => void,
  ) {
    const { servers, strategy, timeoutMs, ca } = options
    const cache = newCache(options.cacheBytesMax, randomBytes(4).readInt32LE())
    const upstreams = newUpstreamStates(servers.length)
    this.settings = { servers, strategy, timeoutMs, ca, cache, upstreams }
    this.memory = new CacheMemory(cache)
    this.#counters = new RecursorCounters(servers.length)
    this.#logger = logger
    this.#onDeath = onDeath
    this.#observing = observing
    this.#onLines = onLines
    this.#worker = this.#spawn()
  }

  get figures(): RecursionFigures {
    const { entries, bytes } = this.memory
    const { servers: addresses } = this.settings
    const cache = { cacheEntries: entries, cacheBytesMax: bytes.length }
    return { ...RecursorCounters.read([this.#counters, ...this.#lanes]), addresses, ...cache }
  }

  /** What a thread that answers DNS needs to ask upstream servers itself. */
  openLane(): LaneShare {
    const counters = new RecursorCounters(this.settings.servers.length)
    this.#lanes.push(counters)
    const descriptors = new DescriptorList().buffer
    return { settings: this.settings, counters: counters.buffer, descriptors }
  }

  /** A thread with a lane has ended: gives back what it can no longer give back itself. */
  closeLane({ descriptors }: LaneShare, threadId: number): void {
    this.memory.noteDeath(threadId)
    const libc = loadLibc()
    if (!(libc instanceof Error)) new DescriptorList(descriptors).closeAll(libc)
  }

  /** A channel to the thread, for a thread that answers DNS. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#worker.postMessage({ type: 'port', port: port1 } satisfies ToRecursorThread, [port1])
    return port2
  }

  /** One query of so many gets a line in the query log; a restarted thread continues with it. */
  logEvery(every: number): void {
    this.#observing = { ...this.#observing, logEvery: every }
    this.#worker.postMessage({ type: 'log-every', every } satisfies ToRecursorThread)
  }

  /** What the thread has seen of late; nothing if it has ended. */
  async traffic(): Promise<readonly TrafficSample[]> {
    const worker = this.#worker
    const sample = await askThread(
      worker,
      () => worker.postMessage({ type: 'traffic' } satisfies ToRecursorThread),
      (message) => sampleIn(message as FromRecursorThread),
    )
    return sample === undefined ? [] : [sample]
  }

  /** Calls `listener` when the thread was started again, and all channels to it are dead. */
  onRestart(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** The names that svcd serves have changed, and the cache may contain answers for new ones. */
  clear(): void {
    this.memory.nextEpoch()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    const worker = this.#worker
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
    })
    worker.postMessage({ type: 'stop' } satisfies ToRecursorThread)
    await ended
  }

  #spawn(): Worker {
    const data: RecursorWorkerData = {
      settings: this.settings,
      counters: this.#counters.buffer,
      observing: this.#observing,
    }
    const worker = startThread(threadFile('resolver/recursion/recursor-thread'), {
      resourceLimits: threadLimits,
      workerData: data,
    })
    worker.on('message', (message: FromRecursorThread) => {
      if (message.type === 'query-lines') this.#onLines(message.text)
    })
    const { threadId } = worker
    let reason = 'it exited without an error'
    worker.on('error', (error) => {
      reason = reasonOf(error)
      this.#logger.error({ err: error }, 'the recursor thread failed')
    })
    worker.on('exit', () => {
      this.memory.noteDeath(threadId)
      if (!this.#isStopping) this.#restart(reason)
    })
    return worker
  }

  #restart(reason: string): void {
    const count = this.#deaths.tooMany(performance.now())
    if (count !== undefined) {
      const last = `the recursor thread failed ${count} times within a minute, most recently: ${reason}`
      this.#onDeath(new Error(`${last}. Start the agent again, or without -recursor.`))
      return
    }
    this.#logger.warn({}, 'the recursor thread ended; restarting it')
    this.#worker = this.#spawn()
    for (const listener of this.#listeners) listener()
  }
}

function sampleIn(message: FromRecursorThread): TrafficSample | undefined {
  return message.type === 'traffic-seen' ? message.sample : undefined
}

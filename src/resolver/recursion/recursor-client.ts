import type { MessagePort } from 'node:worker_threads'
import type { SavedMessage } from '../../net/udp/message-block.ts'
import type { CacheMemory } from '../../recursor/cache-layout.ts'
import type { FromRecursor, OutsideQuery } from './messages.ts'
import { QueryBatch } from './query-batch.ts'
import { sharedNowMs } from './shared-clock.ts'

/** So many queries of this thread may wait for the recursor thread. */
const waitingMax = 4096

/** One thread's end of the channel to the recursor thread. */
export class RecursorClient {
  readonly #memory: CacheMemory
  #port: MessagePort
  readonly #queries = new QueryBatch()
  readonly #waiting = new Map<number, (answer: Buffer | undefined) => void>()
  #lastId = 0
  #isFlushDue = false

  constructor(port: MessagePort, memory: CacheMemory) {
    this.#memory = memory
    this.#port = port
    this.#use(port)
  }

  /** The recursor thread has ended, and this is the way to its successor. Waiting clients ask again. */
  setPort(port: MessagePort): void {
    this.#port.close()
    for (const reply of this.#waiting.values()) reply(undefined)
    this.#waiting.clear()
    this.#use(port)
  }

  /** For a client of a UDP socket; sent with the next {@link flush}. */
  passOn(query: OutsideQuery, fd: number, message: SavedMessage): void {
    this.#queries.add(query, { kind: 'socket', fd, message, receivedMs: sharedNowMs() })
  }

  /** An answer in use is to be refreshed. */
  refresh(query: OutsideQuery): void {
    this.#queries.add(query, { kind: 'nobody' })
  }

  /** Resolves with the answer; undefined if there will be none. */
  ask(query: OutsideQuery): Promise<Buffer | undefined> {
    if (this.#waiting.size >= waitingMax) return Promise.resolve(undefined)
    const id = ++this.#lastId
    this.#queries.add(query, { kind: 'thread', id })
    this.flushLater()
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  /** Sends all queries of a batch as one message. */
  flush(): void {
    this.#isFlushDue = false
    if (this.#queries.count === 0) return
    this.#memory.addQueued(this.#queries.count)
    this.#port.postMessage(this.#queries.take())
  }

  /** For a thread whose event loop turns. */
  flushLater(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => this.flush())
  }

  close(): void {
    this.#port.close()
    for (const reply of this.#waiting.values()) reply(undefined)
    this.#waiting.clear()
  }

  #use(port: MessagePort): void {
    this.#port = port
    port.on('message', ({ id, answer }: FromRecursor) => {
      const reply = this.#waiting.get(id)
      this.#waiting.delete(id)
      reply?.(answer === undefined ? undefined : Buffer.from(answer))
    })
    port.unref()
  }
}

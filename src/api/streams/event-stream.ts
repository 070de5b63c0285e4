import type { FastifyReply } from 'fastify'

const opening = 'retry: 1000\n\n'
const heartbeat = ':\n\n'

/** What a reader has not had yet, as one event; undefined: it has all. Each call goes on from there. */
export type NextEvent = () => Buffer | undefined

/** An event with an ID, for `Last-Event-ID`. */
export function eventOf(id: string | number, body: Buffer): Buffer {
  // JSON holds no line break, so one `data` line carries all of it (HTML, Server-sent events §9.2.6).
  return Buffer.concat([Buffer.from(`id: ${id}\ndata: `), body, Buffer.from('\n\n')])
}

/**
 * One reader of a stream. What it gets is asked for when it can take it. So a slow reader costs one
 * event at most, and sees what is there when it reads.
 */
export class EventStream {
  readonly #raw: FastifyReply['raw']
  readonly #next: NextEvent
  #stalledSinceMs: number | undefined

  constructor(raw: FastifyReply['raw'], next: NextEvent) {
    this.#raw = raw
    this.#next = next
    raw.on('drain', () => {
      this.#stalledSinceMs = undefined
      this.wake()
    })
    raw.write(opening)
  }

  /** There may be something new. */
  wake(): void {
    while (!this.#raw.writableNeedDrain && !this.#raw.destroyed) {
      const event = this.#next()
      if (event === undefined) return
      this.#raw.write(event)
    }
  }

  /** Keeps the connection from looking dead. A reader that takes nothing for `limitMs` is cut off. */
  beat(nowMs: number, limitMs: number): void {
    if (!this.#raw.writableNeedDrain) this.#raw.write(heartbeat)
    else {
      this.#stalledSinceMs ??= nowMs
      if (nowMs - this.#stalledSinceMs >= limitMs) this.#raw.destroy()
    }
  }

  /** Ends it after what was sent; a reader that takes nothing must not hold up a stop. */
  end(): void {
    if (this.#raw.writableNeedDrain) this.#raw.destroy()
    else this.#raw.end()
  }
}

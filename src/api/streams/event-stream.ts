import type { FastifyReply } from 'fastify'

/** A state of what is watched, as JSON and as the event that carries it. */
export interface Frame {
  readonly index: number
  readonly body: Buffer
  readonly event: Buffer
}

export function frameOf(index: number, body: Buffer): Frame {
  // JSON holds no line break, so one `data` line carries all of it (HTML, Server-sent events §9.2.6).
  const event = Buffer.concat([Buffer.from(`id: ${index}\ndata: `), body, Buffer.from('\n\n')])
  return { index, body, event }
}

const opening = 'retry: 1000\n\n'
const heartbeat = ':\n\n'

/**
 * One reader of a stream. Events that it has not taken yet are replaced by newer ones. So a slow
 * reader costs one event at most, and sees the latest state when it reads.
 */
export class EventStream {
  readonly #raw: FastifyReply['raw']
  #known: Buffer | undefined
  #next: Frame | undefined
  #stalledSinceMs: number | undefined

  /** `known` is the state that the reader has already. */
  constructor(raw: FastifyReply['raw'], known: Buffer | undefined) {
    this.#raw = raw
    this.#known = known
    raw.on('drain', () => {
      this.#stalledSinceMs = undefined
      this.#flush()
    })
    raw.write(opening)
  }

  offer(frame: Frame): void {
    this.#next = frame
    this.#flush()
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

  #flush(): void {
    if (this.#next === undefined || this.#raw.writableNeedDrain) return
    const { body, event } = this.#next
    this.#next = undefined
    if (body === this.#known) return
    this.#known = body
    this.#raw.write(event)
  }
}

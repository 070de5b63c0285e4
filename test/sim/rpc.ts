import type { NodeId } from '../../src/raft/entry.ts'

interface Waiting {
  readonly to: NodeId
  readonly resolve: (reply: Buffer) => void
  readonly reject: (error: Error) => void
}

export interface RpcParts {
  readonly self: NodeId
  /** Calls `deliver` on the other side, or `broken` here when the connection breaks before. */
  readonly carry: (to: NodeId, deliver: () => void, broken: () => void) => void
  readonly answer: (from: NodeId, kind: string, body: Buffer) => Promise<Buffer>
  /** The other end; undefined while its process does not run. */
  readonly peer: (id: NodeId) => Rpc | undefined
  readonly after: (delayMs: number, run: () => void) => void
  /** A promise was settled, or soon will be. */
  readonly onBusy: () => void
}

/** Requests between the processes of two servers, as peers/rpc.ts has them on a connection. */
export class Rpc {
  readonly #parts: RpcParts
  readonly #waiting = new Map<number, Waiting>()
  #next = 1
  #answering = 0

  constructor(parts: RpcParts) {
    this.#parts = parts
  }

  get isBusy(): boolean {
    return this.#waiting.size + this.#answering > 0
  }

  /** Rejects when the connection breaks, when the other side refuses, and after `timeoutMs`. */
  request(to: NodeId, kind: string, body: Buffer, timeoutMs: number): Promise<Buffer> {
    const { self, carry, peer, after } = this.#parts
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { to, resolve, reject })
      const reply = (answer: Buffer | Error): void => this.#end(id, answer)
      const broken = (): void => reply(new Error('the connection broke'))
      carry(
        to,
        () => {
          const other = peer(to)
          if (other === undefined) return after(0, broken)
          other.#answer(self, { kind, body, reply: (answer) => reply(answer), broken })
        },
        broken,
      )
      after(timeoutMs, () => reply(new Error('no answer in time')))
    })
  }

  /** The connection with `peer` has closed: nothing is known of what it was asked. */
  connectionLost(peer: NodeId): void {
    for (const [id, { to }] of this.#waiting) {
      if (to === peer) this.#end(id, new Error('the connection broke'))
    }
  }

  #answer(
    from: NodeId,
    asked: {
      kind: string
      body: Buffer
      reply: (answer: Buffer | Error) => void
      broken: () => void
    },
  ): void {
    const { answer, carry, onBusy } = this.#parts
    const { kind, body, reply, broken } = asked
    this.#answering++
    onBusy()
    const end = (result: Buffer | Error): void => {
      this.#answering--
      carry(from, () => reply(result), broken)
    }
    answer(from, kind, body).then(end, end)
  }

  #end(id: number, answer: Buffer | Error): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    this.#parts.onBusy()
    if (answer instanceof Error) waiting.reject(answer)
    else waiting.resolve(answer)
  }
}

import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface HttpLoad {
  readonly port: number
  /** Over HTTPS, whatever certificate the agent has. */
  readonly isTls?: boolean
  /** Whole fields that each request has: `X-Consul-Token: …`. */
  readonly headers?: readonly string[]
  readonly connections: number
  readonly seconds: number
  /** Undefined: as many as are answered. */
  readonly perSecond?: number
  /** Ends after so many, if the time has not. */
  readonly total?: number
  /** The n-th request, and by which of the connections: method, path and JSON body. */
  readonly request: (
    n: number,
    connection: number,
  ) => {
    readonly method: string
    readonly path: string
    readonly body: string
  }
  /** The request of a connection was answered with 200. */
  readonly onOk?: (connection: number) => void
}

export interface HttpLoadResult {
  readonly perSecond: number
  readonly ok: number
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * A closed-loop HTTP/1.1 load over raw sockets: each connection sends one request, waits for its
 * whole answer, and sends the next. Raw, because on two cores a full client would measure itself.
 */
export async function httpLoad(load: HttpLoad): Promise<HttpLoadResult> {
  const started = performance.now()
  const run = { next: 0, ok: 0, failed: 0, latencies: [] as number[], started, endsAt: 0 }
  run.endsAt = started + load.seconds * 1000
  await Promise.all(
    Array.from({ length: load.connections }, (_, at) => oneConnection(load, run, at)),
  )
  const seconds = (performance.now() - started) / 1000
  const sorted = run.latencies.toSorted((a, b) => a - b)
  const at = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN
  return {
    perSecond: run.ok / seconds,
    ok: run.ok,
    failed: run.failed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}

interface Run {
  next: number
  ok: number
  failed: number
  latencies: number[]
  readonly started: number
  endsAt: number
}

function oneConnection(load: HttpLoad, run: Run, connection: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket =
      load.isTls === true
        ? connectTls({ port: load.port, host: '127.0.0.1', rejectUnauthorized: false })
        : connect(load.port, '127.0.0.1')
    const fields = ['Host: localhost', ...(load.headers ?? [])].join('\r\n')
    let sentAt = 0
    let answer = new Answer()
    const send = (): void => {
      const n = run.next++
      const dueMs = run.started + (n / (load.perSecond ?? Infinity)) * 1000
      const waitMs = dueMs - performance.now()
      if (waitMs > 0) setTimeout(() => sendNow(n), waitMs)
      else sendNow(n)
    }
    const sendNow = (n: number): void => {
      sentAt = performance.now()
      if (sentAt > run.endsAt || n >= (load.total ?? Infinity)) {
        socket.end()
        resolve()
        return
      }
      const { method, path, body } = load.request(n, connection)
      socket.write(
        `${method} ${path} HTTP/1.1\r\n${fields}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    }
    socket.setNoDelay(true)
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      if (!answer.add(chunk)) return
      if (answer.isOk) {
        run.ok++
        load.onOk?.(connection)
      } else run.failed++
      run.latencies.push(performance.now() - sentAt)
      answer = new Answer()
      send()
    })
  })
}

/** One answer as it comes: its length is looked up once, its body only counted. */
class Answer {
  isOk = false
  #head = ''
  #isChunked = false
  #missing = Number.NaN
  #end = ''

  /** Whether it is whole now. */
  add(chunk: Buffer): boolean {
    if (!Number.isNaN(this.#missing)) return this.#addBody(chunk)
    this.#head += chunk.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) return false
    this.isOk = this.#head.startsWith('HTTP/1.1 200')
    this.#isChunked = /transfer-encoding: *chunked/i.test(this.#head)
    this.#missing = Number(/content-length: *(\d+)/i.exec(this.#head)?.[1] ?? 0)
    return this.#addBody(Buffer.from(this.#head.slice(end + 4), 'latin1'))
  }

  #addBody(body: Buffer): boolean {
    this.#missing -= body.length
    if (!this.#isChunked) return this.#missing <= 0
    this.#end = (this.#end + body.toString('latin1', Math.max(0, body.length - 7))).slice(-7)
    return this.#end.endsWith('\r\n0\r\n\r\n')
  }
}

import { connect } from 'node:net'
import type { Socket } from 'node:net'

export interface HttpLoad {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Undefined: as many as are answered. */
  readonly perSecond?: number
  /** Ends after so many, if the time has not. */
  readonly total?: number
  /** The n-th request: method, path and JSON body. */
  readonly request: (n: number) => {
    readonly method: string
    readonly path: string
    readonly body: string
  }
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
  await Promise.all(Array.from({ length: load.connections }, () => oneConnection(load, run)))
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

function oneConnection(load: HttpLoad, run: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(load.port, '127.0.0.1')
    let sentAt = 0
    let received = ''
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
      const { method, path, body } = load.request(n)
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: bench\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    }
    socket.setNoDelay(true)
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      if (!isWhole(received)) return
      if (received.startsWith('HTTP/1.1 200')) run.ok++
      else run.failed++
      run.latencies.push(performance.now() - sentAt)
      received = ''
      send()
    })
  })
}

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return false
  const length = /content-length: *(\d+)/i.exec(text)
  return length !== null && text.length >= head + 4 + Number(length[1])
}

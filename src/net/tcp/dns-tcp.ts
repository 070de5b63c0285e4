import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import { dnsTcp, dnsTls } from '../connections/bind-error.ts'
import { AnswerBuffer } from './answer-buffer.ts'
import { TurnShare } from '../connections/turn-share.ts'
import { DnsConnection } from './dns-tcp-connection.ts'
import { StreamPort } from './stream-port.ts'
import type { ConnectionGate } from '../connections/gate.ts'
import type { TcpLimits } from './dns-tcp-connection.ts'
import type { StreamResponder, TransferDoor } from '../packet-responder.ts'
import type { StreamTls } from './stream-port.ts'

export interface TcpOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly responder: StreamResponder
  /** Admits connections, and closes idle ones to make room. */
  readonly gate: ConnectionGate
  readonly limits?: Partial<TcpLimits> | undefined
  /** DNS over TLS (RFC 7858), which frames its messages as TCP does; undefined: without encryption. */
  readonly tls?: Omit<StreamTls, 'protocols'> | undefined
  /** The monotonic clock of the deadlines. */
  readonly nowMs?: (() => number) | undefined
  /** The clients whose queries for outside names are passed on; absent: none. */
  readonly recursion?: IpPrefixes | undefined
  /** Absent: zone transfers are refused. */
  readonly transfers?: TransferDoor | undefined
}

export const tcpLimitsDefault: TcpLimits = {
  idleTimeoutMs: 10_000,
  frameTimeoutMs: 5000,
  drainTimeoutMs: 10_000,
  unreadBytesMax: 256 * 1024,
}

/** Of one thread: each connection empties it before the next has its turn. */
export const answers = new AnswerBuffer()

/** Opens a DNS port over TCP or TLS. Rejects with `port-in-use` or `bind-failed`. */
export async function listenTcp(options: TcpOptions): Promise<StreamPort> {
  const { address, port: number, responder, gate, tls, nowMs = performanceNow } = options
  const { recursion, transfers } = options
  const limits = { ...tcpLimitsDefault, ...options.limits }
  const share = new TurnShare()
  const port: StreamPort = new StreamPort({
    address,
    port: number,
    bound: tls === undefined ? dnsTcp : dnsTls,
    gate,
    // The protocol of RFC 7858 in ALPN, as IANA has registered it.
    tls: tls === undefined ? undefined : { ...tls, protocols: ['dot'] },
    sweepMs: sweepMsOf(limits),
    nowMs,
    serve: (socket, onQuery) =>
      new DnsConnection(socket, {
        responder,
        answers,
        isEncrypted: tls !== undefined,
        limits,
        counters: port.counters,
        share,
        nowMs,
        onQuery,
        recursion,
        transfers,
      }),
  })
  await port.open()
  return port
}

export function sweepMsOf({ idleTimeoutMs, frameTimeoutMs, drainTimeoutMs }: TcpLimits): number {
  return Math.min(idleTimeoutMs, frameTimeoutMs, drainTimeoutMs, 4000) / 4
}

export const performanceNow = (): number => performance.now()

import { hostPort } from '../base/host-port.ts'
import http2 from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import { critical, failedProbe, passing, runProbe } from './result.ts'
import type { ProbeCredentials, ProbeResult } from './result.ts'
import { tlsOptionsOf } from './socket.ts'
import type { TcpProbeRequest } from './socket.ts'

export interface GrpcProbeRequest extends TcpProbeRequest {
  /** '' = the server as a whole. */
  readonly service: string
}

/** Pings over HTTP/2 (RFC 9113 §6.7); an answer is passing. Never rejects. */
export function probeH2Ping(
  request: TcpProbeRequest,
  signal?: AbortSignal,
  credentials: ProbeCredentials = {},
): Promise<ProbeResult> {
  const target = `HTTP2 ping ${hostPort(request.host, request.port)}`
  return runProbe({ target, timeoutMs: request.timeoutMs, signal }, (end) => {
    const session = openSession(request, credentials, target, end)
    session.on('connect', () => {
      session.ping((error) =>
        end(error === null ? passing(`${target}: Success`) : failedProbe(target, error)),
      )
    })
    return () => session.destroy()
  })
}

/** gRPC's health protocol, `grpc.health.v1.Health/Check`: SERVING is passing. Never rejects. */
export function probeGrpc(
  request: GrpcProbeRequest,
  signal?: AbortSignal,
  credentials: ProbeCredentials = {},
): Promise<ProbeResult> {
  const name = request.service === '' ? '' : `/${request.service}`
  const target = `gRPC ${hostPort(request.host, request.port)}${name}`
  return runProbe({ target, timeoutMs: request.timeoutMs, signal }, (end) => {
    const session = openSession(request, credentials, target, end)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'grpc-timeout': `${Math.ceil(request.timeoutMs)}m`,
      te: 'trailers',
    })
    const answer = new GrpcAnswer()
    stream.on('response', (headers) => answer.addHeaders(headers))
    stream.on('trailers', (headers: http2.IncomingHttpHeaders) => answer.addHeaders(headers))
    stream.on('data', (chunk: Buffer) => answer.add(chunk))
    stream.on('error', (error) => end(failedProbe(target, error)))
    stream.on('close', () => end(answer.result(target)))
    stream.end(checkRequest(request.service))
    return () => session.destroy()
  })
}

function openSession(
  request: TcpProbeRequest,
  credentials: ProbeCredentials,
  target: string,
  end: (result: ProbeResult) => void,
): ClientHttp2Session {
  const { host, port, useTls } = request
  const options = useTls ? { ...tlsOptionsOf(request, credentials), ALPNProtocols: ['h2'] } : {}
  const scheme = useTls ? 'https' : 'http'
  const session = http2.connect(`${scheme}://${hostPort(host, port)}`, options)
  session.on('error', (error) => end(failedProbe(target, error)))
  session.on('close', () => end(critical(`${target}: the connection was closed`, 'proof')))
  return session
}

/** A frame of gRPC with HealthCheckRequest{service = 1} in it. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const field = name.length === 0 ? [] : [Buffer.from([0x0a, ...varint(name.length)]), name]
  const message = Buffer.concat(field)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const answerBytesMax = 4096

/** What a server answered: headers, trailers, and HealthCheckResponse{status = 1}. */
class GrpcAnswer {
  #httpStatus = 0
  #code: string | undefined
  #message = ''
  #body = Buffer.alloc(0)

  addHeaders(headers: http2.IncomingHttpHeaders): void {
    this.#httpStatus ||= Number(headers[':status'] ?? 0)
    this.#code = textOf(headers['grpc-status']) ?? this.#code
    this.#message = textOf(headers['grpc-message']) ?? this.#message
  }

  add(chunk: Buffer): void {
    if (this.#body.length < answerBytesMax) this.#body = Buffer.concat([this.#body, chunk])
  }

  result(target: string): ProbeResult {
    if (this.#httpStatus !== 200) {
      return critical(
        `${target}: HTTP status ${this.#httpStatus} instead of a gRPC answer`,
        'proof',
      )
    }
    if (this.#code !== '0') {
      const code = this.#code ?? 'missing'
      return critical(`${target}: gRPC status ${code} ${this.#message}`.trimEnd(), 'proof')
    }
    const status = this.#servingStatus()
    if (status === 1) return passing(`${target}: SERVING`)
    return critical(`${target}: ${servingStatuses[status] ?? `status ${status}`}`, 'proof')
  }

  /** 0 when the field is left out, as proto3 leaves out defaults. */
  #servingStatus(): number {
    const message = this.#body.subarray(5)
    return message[0] === 0x08 ? (message[1] ?? 0) : 0
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

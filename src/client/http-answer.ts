import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'

/** An answer whose head is there. Its body is read once; until then the connection stays open for it. */
export class HttpAnswer {
  readonly status: number
  readonly statusText: string
  readonly #message: IncomingMessage

  constructor(message: IncomingMessage) {
    this.status = message.statusCode ?? 0
    this.statusText = message.statusMessage ?? ''
    this.#message = message
  }

  get isOk(): boolean {
    return this.status >= 200 && this.status < 300
  }

  /** Of a field that is there several times, the values with `, ` between them. */
  header(name: string): string | undefined {
    const value = this.#message.headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** In lower case. */
  get headerNames(): readonly string[] {
    return Object.keys(this.#message.headers)
  }

  /**
   * Rejects with ECONNRESET when it breaks off, and with the reason of the request's signal. A
   * reader that leaves early closes the connection.
   */
  async *body(): AsyncGenerator<Uint8Array, void> {
    yield* await this.#decoded()
  }

  async text(): Promise<string> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.body()) chunks.push(chunk)
    // It leaves out a byte order mark.
    return new TextDecoder().decode(Buffer.concat(chunks))
  }

  /** Closes the connection of an answer that is not read. */
  discard(): void {
    this.#message.destroy()
  }

  async #decoded(): Promise<AsyncIterable<Uint8Array>> {
    const message: Readable = this.#message
    if (!/^(?:x-)?gzip$/i.test(this.header('content-encoding') ?? '')) return message
    const { createGunzip } = await import('node:zlib')
    return pipeline(message, createGunzip(), () => {})
  }
}

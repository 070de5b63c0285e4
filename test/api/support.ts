import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { createHttpApi } from '../../src/api/http-api.ts'
import type { HttpApiOptions } from '../../src/api/http-api.ts'
import { silentLogger } from '../../src/base/log.ts'
import { TestBackend } from '../helpers/test-backend.ts'

export interface Reply {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | readonly string[] | number | undefined>>
}

/** The API over a fresh catalog, asked without a socket. */
export class TestApi {
  readonly app: FastifyInstance
  readonly backend: TestBackend
  /** What was logged as an error: defects, so none. */
  readonly errors: string[] = []
  readonly warnings: string[] = []
  readonly debugged: string[] = []
  /** At an error or a line for debugging. */
  onLog = (): void => {}

  constructor(t: Test, options: HttpApiOptions = {}) {
    this.backend = new TestBackend(t.testdir())
    const logger = {
      ...silentLogger,
      warn: (_fields: object, message: string): void => {
        this.warnings.push(message)
      },
      debug: (_fields: object, message: string): void => {
        this.debugged.push(message)
        this.onLog()
      },
      error: (fields: object, message: string): void => {
        this.errors.push(`${message} ${JSON.stringify(fields)}`)
        this.onLog()
      },
    }
    this.app = createHttpApi(this.backend, logger, { leaderWaitMs: 0, ...options })
    this.app.addHook('onReady', () => this.backend.ready)
    t.teardown(async () => {
      await this.app.close()
      await this.backend.close()
      if (this.errors.length > 0) throw new Error(`defects: ${this.errors.join('; ')}`)
    })
  }

  async ask(
    method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS',
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const options: InjectOptions = { method, url, headers }
    // Strings and buffers go as they are, without the Content-Type that objects would get.
    if (body !== undefined) {
      options.payload =
        typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    }
    const response = await this.app.inject(options)
    return { status: response.statusCode, body: response.body, headers: response.headers }
  }

  get(path: string): Promise<Reply> {
    return this.ask('GET', `/v1/${path}`)
  }

  put(path: string, body?: unknown): Promise<Reply> {
    return this.ask('PUT', `/v1/${path}`, body)
  }

  async json<T>(path: string): Promise<T> {
    const { status, body } = await this.get(path)
    if (status !== 200) throw new Error(`${path}: ${status} ${body}`)
    return JSON.parse(body) as T
  }
}

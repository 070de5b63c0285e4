import type { Backend } from '../ports/backend.ts'
import type { Endpoint } from './http/endpoint.ts'
import type { ReadContext } from './http/read.ts'
import type { Measured } from './http/measured.ts'
import type { SaidWarnings } from './http/said-warnings.ts'
import type { LineStreams } from './streams/line-streams.ts'
import type { Streams } from './streams/streams.ts'

/** What the endpoints of one server of the API work with. */
export interface ApiContext extends ReadContext {
  readonly backend: Backend
  readonly streams: Streams
  readonly lines: LineStreams
  /** Which warnings about registrations were logged already. */
  readonly said: SaidWarnings
  readonly measured: Measured
  /** The OpenAPI document, as JSON. */
  readonly document: () => Promise<Buffer>
}

/** A row of the API. */
export type ApiEndpoint = Endpoint<ApiContext>

/** Ties what a row reads of the body to what its handler gets. */
export function endpoint<Body = undefined>(row: Endpoint<ApiContext, Body>): ApiEndpoint {
  return row
}

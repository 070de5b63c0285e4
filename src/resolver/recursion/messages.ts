import type { MessagePort } from 'node:worker_threads'
import type { UpstreamServer } from '../../net/upstream/exchange.ts'
import type { SavedMessage } from '../../net/udp/message-block.ts'
import type { CacheHandle } from '../../recursor/cache-layout.ts'
import type { FromObserver, ObserverShare, ToObserver } from '../traffic/messages.ts'
import type { Resume } from '../../recursor/lookup.ts'
import type { Strategy } from '../../recursor/upstreams.ts'

// What the threads that answer DNS and the recursor thread say to each other.

/** A client's query for an outside name. */
export interface OutsideQuery {
  readonly packet: Uint8Array
  readonly questionEnd: number
  /** Transport, EDNS and size: see `dns/query-scan.ts`. */
  readonly variant: number
  /** The COOKIE option that the answer is to have. */
  readonly cookie?: Uint8Array | undefined
  /** Svcd has an alias for the name of the query: its answer, and the question for the target. */
  readonly alias?: { readonly own: Uint8Array; readonly question: Uint8Array } | undefined
  /** The thread that passes it on has begun to ask for it. */
  readonly resume?: Resume | undefined
}

/** Who gets the answer. */
export type ReplyTo =
  /** A client of a UDP socket: the recursor thread sends the answer itself. */
  | {
      readonly kind: 'socket'
      readonly fd: number
      readonly message: SavedMessage
      /** By the clock that all threads share. */
      readonly receivedMs: number
    }
  /** The thread that sent the query. */
  | { readonly kind: 'thread'; readonly id: number }
  /** No client: an answer that is used often is to be refreshed. */
  | { readonly kind: 'nobody' }

export interface ToRecursor {
  readonly query: OutsideQuery
  readonly to: ReplyTo
}

export interface FromRecursor {
  readonly id: number
  readonly answer: Uint8Array | undefined
}

/** What the recursor thread needs. */
export interface RecursorSettings {
  readonly servers: readonly UpstreamServer[]
  readonly strategy: Strategy
  /** The state of the servers, which all threads share. */
  readonly upstreams: SharedArrayBuffer
  readonly timeoutMs: number
  /** Certificates of the authorities that sign those of TLS servers; undefined: those of Node. */
  readonly ca: readonly string[] | undefined
  readonly cache: CacheHandle
}

/** What a thread that answers DNS needs to ask upstream servers itself. */
export interface LaneShare {
  readonly settings: RecursorSettings
  readonly counters: SharedArrayBuffer
  /** Lists its sockets. */
  readonly descriptors: SharedArrayBuffer
}

export interface RecursorWorkerData {
  readonly settings: RecursorSettings
  readonly counters: SharedArrayBuffer
  readonly observing: ObserverShare
}

/** To the main thread. `ready`: the addons are loaded. */
export type FromRecursorThread = { readonly type: 'ready' } | FromObserver

/** From the main thread. */
export type ToRecursorThread =
  { readonly type: 'port'; readonly port: MessagePort } | { readonly type: 'stop' } | ToObserver

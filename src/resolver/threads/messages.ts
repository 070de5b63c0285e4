import type { MessagePort } from 'node:worker_threads'
import type { ErrorCode } from '../../base/errors.ts'
import type { Mode } from '../../dns/responder.ts'
import type { Zone } from '../../dns/zone.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import type { CacheHandle } from '../../recursor/cache-layout.ts'
import type { LaneShare } from '../recursion/messages.ts'
import type { RateLimitShare } from '../protection/protection-share.ts'
import type { TsigKey } from '../../transfer/tsig/keys.ts'
import type { DnsRights } from '../dns-rights.ts'
import type { FromObserver, ObserverShare, ToObserver } from '../traffic/messages.ts'
import type { WakerHandle } from '../../net/udp/waker.ts'

// What the main thread and a dns thread say to each other.

/** All that answering needs, on whichever thread it is done. */
export interface DnsAnswering {
  readonly statePath: string
  readonly versions: SharedArrayBuffer
  readonly mode: SharedArrayBuffer
  readonly zone: Zone
  readonly onlyPassing: boolean
  /** Of the agent's own node. */
  readonly nodeName: string
  readonly udpSizeMax: number
  /** The memory of the cache of each thread; 32 MiB if absent. */
  readonly cacheBytesMax?: number
  /** Absent: queries for outside names are refused. */
  readonly recursion?: RecursionShare | undefined
  /** Absent: there is no limit to the answers over UDP. */
  readonly rateLimit?: RateLimitShare | undefined
  /** Absent: everything may be shown. */
  readonly rights?: DnsRights
  /** Absent: nothing of what is asked is logged. */
  readonly observing?: ObserverShare
  /** The keys of signed queries; absent: there are none. */
  readonly tsigKeys?: readonly TsigKey[] | undefined
}

/** What all threads share to answer for outside names. */
export interface RecursionShare {
  readonly cache: CacheHandle
  /** The networks whose clients may ask for them. */
  readonly allow: readonly string[]
}

export interface DnsWorkerData {
  readonly answering: DnsAnswering
  readonly udp: DnsThreadUdp
  /** What `counters.ts` lays out. */
  readonly counters: SharedArrayBuffer
  /** The way to the recursor thread, if there is one. */
  readonly recursorPort: MessagePort | undefined
  readonly lane: LaneShare | undefined
}

/** How a thread gets at its sockets. */
export type DnsThreadUdp =
  /** It opens them itself. */
  | { readonly kind: 'dgram'; readonly addresses: readonly string[]; readonly port: number }
  /** The main thread keeps them open, so that one that is started again gets the same. */
  | { readonly kind: 'mmsg'; readonly sockets: readonly UdpSocket[]; readonly waker: WakerHandle }

export type ToDns =
  | ToObserver
  | { readonly type: 'stop' }
  /** Answers from now on are made with this one; the thread voids what it has cached. */
  | { readonly type: 'zone'; readonly zone: Zone }
  /** As the zone, but what answers may show. */
  | { readonly type: 'rights'; readonly rights: DnsRights }
  /** The recursor thread was started again. */
  | { readonly type: 'recursor'; readonly port: MessagePort }

export type FromDns =
  | FromObserver
  | { readonly type: 'ready' }
  | { readonly type: 'zone-set' }
  | { readonly type: 'rights-set' }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  /** A read met what looks like damage of state.db. */
  | { readonly type: 'suspicion'; readonly reason: string }
  /** A thread never logs by itself: a busy worker's output shows only its first line. */
  | { readonly type: 'warn'; readonly fields: object; readonly message: string }

const modes: readonly Mode[] = ['never', 'ready', 'stale']

/** What this node may say to DNS, in shared memory. A change must bump the versions' generation. */
export class SharedMode {
  readonly buffer: SharedArrayBuffer
  readonly #cell: Int32Array

  constructor(buffer = new SharedArrayBuffer(4)) {
    this.buffer = buffer
    this.#cell = new Int32Array(buffer)
  }

  get value(): Mode {
    return modes[Atomics.load(this.#cell, 0)] ?? 'never'
  }

  set value(mode: Mode) {
    Atomics.store(this.#cell, 0, modes.indexOf(mode))
  }
}

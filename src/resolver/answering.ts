import { randomBytes } from 'node:crypto'
import { reasonOf } from '../base/errors.ts'
import { openVersions } from '../state/families.ts'
import { Cookies } from '../dns/protection/cookies.ts'
import { Responder } from '../dns/responder.ts'
import { ResponderCounters } from '../dns/responder-counters.ts'
import type { Zone } from '../dns/zone.ts'
import { TsigKeys } from '../transfer/tsig/keys.ts'
import { signedQueries } from '../transfer/tsig/signed-queries.ts'
import { isSignOfDamage } from '../storage/state-check.ts'
import { StateReader } from '../storage/state.ts'
import type { PacketResponder, StreamResponder, UdpCounters } from '../net/packet-responder.ts'
import type { DnsCounters, SocketFigures } from './threads/counters.ts'
import type { DnsAnswering } from './threads/messages.ts'
import { SharedMode } from './threads/messages.ts'
import { limitFailures } from '../process/limited-failures.ts'
import type { AnsweringFailures } from '../process/limited-failures.ts'
import { cookieSecrets } from './protection/cookie-secrets.ts'
import { Snapshots } from './batch-snapshots.ts'
import { dnsCaller } from './dns-rights.ts'
import { StreamObserver, showTo } from './traffic/observed-answers.ts'
import { unchosen } from './traffic/query-observer.ts'
import type { QueryObserver } from './traffic/query-observer.ts'
import type { StreamTransport } from './traffic/answered-query.ts'
import type { DnsRights } from './dns-rights.ts'

/** In this time the cache ages once, a segment at a time. An unused answer is removed after 3 to 6 minutes. */
const ageMs = 3 * 60_000

export interface Answerer {
  readonly responder: Responder
  readonly cookies: Cookies
  /** Ends the read transaction of a batch. On a thread with a running event loop each turn does. */
  endBatch(): void
  setZone(zone: Zone): void
  /** What its answers may show from now on. */
  setRights(rights: DnsRights): void
  close(): void
}

/**
 * A responder over a read-only connection of this thread's own. `batches`: by `turn` of the event
 * loop, or whenever the `caller` says so, for a thread whose event loop does not turn.
 */
export function openAnswerer(
  answering: DnsAnswering,
  failures: AnsweringFailures,
  batches: 'turn' | 'caller' = 'turn',
): Answerer {
  const { onError, onSuspicion } = limitFailures(failures, () => performance.now())
  const reader = new StateReader(answering.statePath)
  const all = openVersions(answering.versions)
  const versions = all.of('catalog')
  const others = { kv: all.of('kv'), query: all.of('query') }
  const mode = new SharedMode(answering.mode)
  let { zone } = answering
  const snapshots = new Snapshots(
    reader,
    { catalog: versions, others },
    {
      caller: dnsCaller(answering.rights),
      onlyPassing: answering.onlyPassing,
      nodeName: answering.nodeName,
    },
  )
  let agedMs = performance.now()
  const endBatch = (): void => {
    snapshots.close()
    const nowMs = performance.now()
    const { cache } = responder
    if (nowMs - agedMs < ageMs / Math.max(1, cache.segments)) return
    agedMs = nowMs
    cache.ageOldest()
  }
  const responder = new Responder({
    zone: () => zone,
    mode: () => mode.value,
    versions,
    others,
    snapshot: () => {
      if (batches === 'turn' && !snapshots.isOpen) setImmediate(endBatch)
      return snapshots.open()
    },
    onError: (error, packet) => {
      onError(error, packet)
      if (isSignOfDamage(error)) onSuspicion(reasonOf(error))
    },
    signed: answering.tsigKeys && signedQueries(new TsigKeys(answering.tsigKeys), unixSeconds),
    cacheBytesMax: answering.cacheBytesMax,
    // Unguessable, so that an attacker cannot aim at the slots of the cache.
    seed: randomBytes(4).readUInt32LE(),
  })
  const secrets = cookieSecrets(reader, all.of('dns-cookie'), () => snapshots.close())
  return {
    responder,
    cookies: new Cookies(secrets, () => Date.now() / 1000),
    endBatch,
    setZone: (next) => {
      zone = next
      // After it, never before: an answer made in between would count as new.
      all.bumpGeneration()
    },
    setRights: (rights) => {
      snapshots.caller = dnsCaller(rights)
      // After it, as with the zone: no answer that others may not see stays in the cache.
      all.bumpGeneration()
    },
    close: () => reader.close(),
  }
}

/** TSIG depends on the time of day (RFC 8945 §5.2.3). */
function unixSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

/**
 * Counts what a responder is asked packet by packet, where packets do not come in batches. The
 * figures are published once a turn of the event loop: all of them for each packet would be waste.
 */
export function countedResponder(
  responder: Responder,
  counters: DnsCounters,
  {
    sockets = () => [],
    through = responder,
    observer,
  }: {
    readonly sockets?: () => readonly UdpCounters[]
    /** What answers with the help of the responder; the responder itself unless given. */
    readonly through?: PacketResponder | undefined
    readonly observer?: QueryObserver | undefined
  } = {},
): PacketResponder {
  let isDue = false
  const publish = (): void => {
    isDue = false
    counters.publish(responder.counters, sumOf(sockets()), responder.cache)
  }
  const observe = (beganMs: number): void => {
    counters.observe(1, (performance.now() - beganMs) / 1000)
    if (!isDue) setImmediate(publish)
    isDue = true
  }
  const show = observer === undefined ? undefined : showTo(observer)
  return {
    respond: (packet, asker) => {
      const beganMs = performance.now()
      const answer = through.respond(packet, asker)
      observe(beganMs)
      show?.(packet, asker, answer, { beganMs, isCached: false })
      return answer
    },
    hit: (packet, asker) => {
      const beganMs = performance.now()
      const answer = through.hit(packet, asker)
      if (answer === undefined) return undefined
      observe(beganMs)
      show?.(packet, asker, answer, { beganMs, isCached: true })
      return answer
    },
  }
}

/**
 * The same for the streams of one transport, which share the responder and its cache with others. Only the
 * first of them `ownsCache`: the cache is to be counted once.
 */
export function countedStream(
  responder: Responder,
  counters: DnsCounters,
  {
    ownsCache,
    transport,
    through = responder,
    observer,
  }: {
    readonly ownsCache: boolean
    readonly transport: StreamTransport
    /** What answers with the help of the responder; the responder itself unless given. */
    readonly through?: StreamResponder | undefined
    readonly observer?: QueryObserver | undefined
  },
): StreamResponder {
  const own = new ResponderCounters()
  const cache = ownsCache ? responder.cache : { size: 0, bytes: 0 }
  let isDue = false
  const publish = (): void => {
    isDue = false
    counters.publish(own, sumOf([]), cache)
  }
  const seen = observer && new StreamObserver(observer, transport)
  const { later } = through
  return {
    respondInto: (packet, asker, out, at) => {
      const beganMs = performance.now()
      responder.counters = own
      const hitsBefore = own.hits + own.outsideHits
      const length = through.respondInto(packet, asker, out, at)
      counters.observe(1, (performance.now() - beganMs) / 1000)
      if (!isDue) setImmediate(publish)
      isDue = true
      const chosen = length === 0 ? unchosen : (observer?.choose() ?? unchosen)
      if (chosen !== unchosen) {
        const isCached = own.hits + own.outsideHits > hitsBefore
        seen?.answered(packet, asker, { out, at, length }, { beganMs, isCached, chosen })
      }
      return length
    },
    later: later && seen ? () => seen.later(later()) : later,
  }
}

function sumOf(sockets: readonly UdpCounters[]): SocketFigures {
  const sum = { errors: 0, deferred: 0, overflowed: 0 }
  for (const { errors, deferred, overflowed } of sockets) {
    sum.errors += errors
    sum.deferred += deferred
    sum.overflowed += overflowed
  }
  return sum
}

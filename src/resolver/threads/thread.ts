import { parentPort, receiveMessageOnPort, threadId, workerData } from 'node:worker_threads'
import { must } from '../../base/assert.ts'
import { IpPrefixes } from '../../base/ip-prefixes.ts'
import { SvcdError, reasonOf } from '../../base/errors.ts'
import { CacheMemory } from '../../recursor/cache-layout.ts'
import { loadLibc } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'
import { listenUdp } from '../../net/udp/dgram.ts'
import { UdpMmsg } from '../../net/udp/mmsg.ts'
import type { PacketResponder, PacketWriter } from '../../net/packet-responder.ts'
import type { UdpListener } from '../../net/udp/dgram.ts'
import { countedResponder, openAnswerer } from '../answering.ts'
import type { Answerer } from '../answering.ts'
import { forwardingOf } from '../recursion/forwarding-responder.ts'
import { ProtectedResponder } from '../protection/protected-responder.ts'
import { limiterOf } from '../protection/protection-share.ts'
import { sharedNowMs } from '../recursion/shared-clock.ts'
import { RecursionLane } from '../recursion/recursion-lane.ts'
import { RecursorClient } from '../recursion/recursor-client.ts'
import { DnsCounters } from './counters.ts'
import { observedWriter } from '../traffic/observed-writer.ts'
import { openObserver, tellObserver } from '../traffic/thread-observer.ts'
import type { QueryObserver } from '../traffic/query-observer.ts'
import { limitFailures } from '../../process/limited-failures.ts'
import type { DnsThreadUdp, DnsWorkerData, FromDns, ToDns } from './messages.ts'

// A dns thread: answers UDP questions from its own cache and its own read-only connection. It waits
// neither for Raft nor for HTTP.

const port = must(parentPort, 'a dns thread runs in a worker')
const {
  answering,
  udp,
  counters: buffer,
  recursorPort,
  lane: laneShare,
} = workerData as DnsWorkerData
const counters = new DnsCounters(buffer)
const share = answering.recursion
const client =
  share && recursorPort && new RecursorClient(recursorPort, new CacheMemory(share.cache))
const recursion = share && new IpPrefixes(share.allow)

function post(message: FromDns): void {
  port.postMessage(message)
}

/** The packet that could not be answered, short enough for a log line. */
function onError(error: unknown, packet: Uint8Array, unsaid: number): void {
  const hex = Buffer.from(packet).subarray(0, 128).toString('hex')
  const fields = { reason: reasonOf(error), hex, unsaid }
  post({ type: 'warn', fields, message: 'failed to answer a DNS query' })
}

const failures = {
  onError,
  onSuspicion: (reason: string): void => post({ type: 'suspicion', reason }),
}

/** Sends lines of the query log. */
function sendLines(text: string): void {
  post({ type: 'query-lines', text })
}

/** False: it was told to stop. */
function take(message: ToDns, answerer: Answerer, observer: QueryObserver): boolean {
  if (message.type === 'stop') return false
  if (message.type === 'zone') {
    answerer.setZone(message.zone)
    post({ type: 'zone-set' })
  } else if (message.type === 'recursor') {
    client?.setPort(message.port)
  } else if (message.type !== 'rights') {
    tellObserver(observer, message, post)
  } else {
    answerer.setRights(message.rights)
    post({ type: 'rights-set' })
  }
  return true
}

/** What answers clients: within the limit, and with cookies. */
function protectedResponder(
  { responder, cookies }: Answerer,
  inner: PacketWriter & PacketResponder = responder,
): ProtectedResponder {
  const limiter = limiterOf(answering.rateLimit)
  const slip = answering.rateLimit?.slip ?? 0
  return new ProtectedResponder(inner, { responder, cookies, limiter, slip, nowMs: sharedNowMs })
}

/** The way to the upstream servers; undefined if there are none. */
function openLane(libc: Libc, observer: QueryObserver): RecursionLane | undefined {
  if (share === undefined || laneShare === undefined || client === undefined) return undefined
  const memory = new CacheMemory(share.cache)
  const { onError: onDrop } = limitFailures(failures, () => performance.now())
  const options = { libc, share: laneShare, memory, writer: threadId, observer, onDrop }
  return new RecursionLane({
    ...options,
    passOn: (query, fd, message) => client.passOn(query, fd, message),
  })
}

/** Blocks until it is told to stop: messages are fetched when the waker calls. */
function serveMmsg({ sockets, waker }: Extract<DnsThreadUdp, { kind: 'mmsg' }>): void {
  const libc = loadLibc()
  if (libc instanceof Error) throw libc
  const answerer = openAnswerer(answering, failures, 'caller')
  const { responder } = answerer
  const forwarding = forwardingOf(answering, responder, client)
  const guarded = protectedResponder(answerer, forwarding)
  const observer = openObserver(answering.observing, sendLines, 'caller')
  const lane = openLane(libc, observer)
  const server = new UdpMmsg(libc, {
    sockets,
    responder: observedWriter(guarded, observer),
    recursion,
    onReceived: () => guarded.beginBatch(),
    onPassedOn: (message, fd) => {
      if (forwarding === undefined) return
      lane?.take(forwarding.takePassedOn(), guarded.passedOnCookie, fd, message)
    },
    pathBytesMax: answering.udpSizeMax,
    onAnswered: (packets, ms) => counters.observe(packets, ms / 1000),
    onBatchEnd: () => {
      answerer.endBatch()
      client?.flush()
      observer.flush()
      counters.publish(responder.counters, server.counters, responder.cache)
    },
    work: lane,
    onDrop: limitFailures(failures, () => performance.now()).onError,
  })
  post({ type: 'ready' })
  server.serve(waker, () => {
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      if (!take(next.message as ToDns, answerer, observer)) return false
    }
    return true
  })
  server.close()
  lane?.close()
  client?.close()
  answerer.close()
}

async function serveDgram(options: Extract<DnsThreadUdp, { kind: 'dgram' }>): Promise<void> {
  const answerer = openAnswerer(answering, failures)
  const onQueued = (): void => client?.flushLater()
  const observer = openObserver(answering.observing, sendLines)
  const responder = countedResponder(answerer.responder, counters, {
    sockets: () => listeners.map((listener) => listener.counters),
    through: protectedResponder(
      answerer,
      forwardingOf(answering, answerer.responder, client, onQueued),
    ),
    observer,
  })
  const pathBytesMax = answering.udpSizeMax
  const listeners: UdpListener[] = []
  const at = { port: options.port, responder, pathBytesMax, recursion }
  for (const address of options.addresses) {
    listeners.push(await listenUdp({ ...at, address }))
  }
  port.on('message', (message: ToDns) => {
    if (take(message, answerer, observer)) return
    void Promise.all(listeners.map((listener) => listener.close())).then(() => {
      answerer.close()
      client?.close()
      port.close()
      return undefined
    })
  })
  post({ type: 'ready' })
}

try {
  if (udp.kind === 'mmsg') serveMmsg(udp)
  else await serveDgram(udp)
} catch (error) {
  if (!(error instanceof SvcdError)) throw error
  post({ type: 'refused', code: error.code, message: error.message })
}

import { getPriority, setPriority } from 'node:os'
import { parentPort, threadId, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { must } from '../../base/assert.ts'
import { senderOf } from '../../net/udp/message-block.ts'
import { MmsgReplies } from '../../net/udp/mmsg-replies.ts'
import { afterByEventLoop } from '../../process/after.ts'
import { loadLibc } from '../../process/libc.ts'
import { CacheMemory } from '../../recursor/cache-layout.ts'
import { unchosen } from '../traffic/query-observer.ts'
import { openObserver, tellObserver } from '../traffic/thread-observer.ts'
import type { Resume } from '../../recursor/lookup.ts'
import { Upstreams } from '../../recursor/upstreams.ts'
import { answerTo, questionOf } from './recursor-replies.ts'
import type {
  FromRecursor,
  FromRecursorThread,
  RecursorWorkerData,
  ReplyTo,
  ToRecursor,
  ToRecursorThread,
} from './messages.ts'
import { readBatch } from './query-batch.ts'
import { Recursor } from './recursor.ts'
import type { Known } from './recursor.ts'
import { RecursorCounters } from './recursor-counters.ts'
import { sharedNowMs } from './shared-clock.ts'
import { eventLoopPorts } from './upstream-ports.ts'

// The recursor thread: an event loop beside the threads that block in recvmmsg. It asks upstream servers, keeps
// their answers in the cache, and answers clients of UDP through the sockets of those threads.

/** On a core that both want, this thread gets a third of what a thread gets that answers DNS. */
const nicer = 5

const parent = must(parentPort, 'the recursor runs in a worker')
const { settings, counters: buffer, observing } = workerData as RecursorWorkerData
const { servers, ca, cache, strategy, upstreams, timeoutMs } = settings
lowerPriority()
const memory = new CacheMemory(cache)
// The queries that an earlier thread had not taken are lost.
memory.addQueued(-memory.queued)
const counters = new RecursorCounters(servers.length, buffer)
const recursor = new Recursor({
  ports: eventLoopPorts(servers, ca, (server) => counters.addTo(server, 'forged')),
  memory,
  writer: threadId,
  after: afterByEventLoop,
  upstreams: new Upstreams(upstreams, strategy),
  timeoutMs,
  counters,
  nowMs: sharedNowMs,
})
const libc = loadLibc()
const replies = libc instanceof Error ? undefined : new MmsgReplies(libc)
const threads: MessagePort[] = []
const observer = openObserver(
  observing,
  (text) => parent.postMessage({ type: 'query-lines', text } satisfies FromRecursorThread),
  'turn',
  sharedNowMs,
)
parent.postMessage({ type: 'ready' } satisfies FromRecursorThread)

/** Names of the registry come first where cores are few. Linux lowers just this thread. */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.min(19, getPriority() + nicer))
  } catch {
    // A sandbox may forbid it. Then it competes with the others.
  }
}

function answer(port: MessagePort, { query, to }: ToRecursor, known: Known): void {
  const bytes = answerTo(query, known)
  if (to.kind === 'socket') {
    replies?.send(to.fd, to.message, bytes)
    observe(query.packet, bytes, to)
  } else if (to.kind === 'thread') {
    port.postMessage({ id: to.id, answer: bytes.slice() } satisfies FromRecursor)
  }
}

/** The answers to clients of UDP are seen here, because no other thread sees them. */
function observe(
  packet: Uint8Array,
  out: Uint8Array,
  { message, receivedMs }: Extract<ReplyTo, { kind: 'socket' }>,
): void {
  const chosen = observer.choose()
  if (chosen === unchosen) return
  const place = { out, at: 0, length: out.length }
  const how = { transport: 'udp', client: senderOf(message), beganMs: receivedMs } as const
  observer.note(packet, { ...place, ...how, isCached: false }, chosen)
}

function serve(port: MessagePort): void {
  threads.push(port)
  port.on('message', (batch: Uint8Array) => {
    const asked = readBatch(batch)
    memory.addQueued(-asked.length)
    for (const each of asked) {
      const isForNobody = each.to.kind === 'nobody'
      const reply = (known: Known | Resume): void => {
        if ('answer' in known) answer(port, each, known)
      }
      const { query } = each
      recursor.ask(questionOf(query), isForNobody ? undefined : reply, query.resume)
    }
  })
}

parent.on('message', (message: ToRecursorThread) => {
  if (message.type === 'port') return serve(message.port)
  if (message.type !== 'stop') {
    return tellObserver(observer, message, (told) => parent.postMessage(told))
  }
  recursor.close()
  for (const port of threads) port.close()
  replies?.close()
  parent.close()
  return undefined
})

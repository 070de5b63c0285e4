import { computed, effect, signal } from '@preact/signals'
import { useLayoutEffect } from 'preact/hooks'
import { parseAnswer } from '../core/json.ts'
import { isLostToken } from '../core/lost-token.ts'
import { afterEvent } from '../core/row-changes.ts'
import type { KeyOf, RowChanges } from '../core/row-changes.ts'
import { ServerEventReader } from '../core/server-events.ts'
import { ApiFault, reasonOf, send } from './api.ts'
import { lostSecret, token } from './preferences.ts'

// What the page shows comes over one stream of events. Each connection begins with the whole state of what is
// watched, so a stream that was cut continues with the next event, and what was shown before stays until then.

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** The stream was cut. The page shows the state of that time. */
  | {
      readonly kind: 'stale'
      readonly sinceMs: number
      readonly retryAtMs: number
      /** What the agent says; '' when it does not answer. */
      readonly reason: string
    }
  /** The agent refuses it; asking again would not help. */
  | { readonly kind: 'refused'; readonly fault: ApiFault }

interface Received {
  readonly path: string
  readonly data: unknown
  readonly isFiltered: boolean
  readonly isDeny: boolean
  readonly atMs: number
}

/** The agent sends something every 15 s. */
const silenceMsMax = 40_000
const retryMsMin = 1000
const retryMsMax = 15_000

export const connection = signal<Connection>({ kind: 'connecting' })
const received = signal<Received | undefined>(undefined)

/** The state after an event. */
type After = (before: unknown, event: unknown) => unknown

interface Watched {
  readonly path: string
  readonly after: After
}

const watched = signal<Watched | undefined>(undefined)
/** Whether the page has a stream. */
export const isWatching = computed(() => watched.value !== undefined)

export interface Live<State> {
  /** Undefined until the first event. */
  readonly data: State | undefined
  readonly fault: ApiFault | undefined
  /** The token may not see all of it. */
  readonly isFiltered: boolean
  /** Access control is on, and allows nothing without a rule. */
  readonly isDeny: boolean
  /** When it came. */
  readonly atMs: number
}

/** The state of a stream below /v1/, as long as the component is there. There is one at a time. */
export function useLive<State>(path: string): Live<State> {
  return useWatched<State>(path, (_before, event) => event)
}

/**
 * The rows of a list, of which the agent sends only those that change. Rows that did not change stay the same
 * objects.
 */
export function useLiveRows<Row extends object>(
  path: string,
  keyOf: KeyOf<Row>,
): Live<readonly Row[]> {
  return useWatched(`${path}${path.includes('?') ? '&' : '?'}deltas=`, (before, event) =>
    afterEvent((before ?? []) as readonly Row[], event as RowChanges<Row>, keyOf),
  )
}

function useWatched<State>(path: string, after: After): Live<State> {
  // Not behind the first paint, which takes longer than the answer of an agent.
  useLayoutEffect(() => {
    watched.value = { path, after }
    return () => {
      if (watched.peek()?.path === path) watched.value = undefined
    }
  }, [path])
  const now = connection.value
  const last = received.value?.path === path ? received.value : undefined
  // The header asks for another token; until then the page stays as it is.
  const isKept = last !== undefined && now.kind === 'refused' && isLostToken(now.fault.message)
  return {
    data: last?.data as State | undefined,
    fault: now.kind === 'refused' && !isKept ? now.fault : undefined,
    isFiltered: last?.isFiltered ?? false,
    isDeny: last?.isDeny ?? false,
    atMs: last?.atMs ?? 0,
  }
}

/** Keeps the stream of the page open. Call it once. */
export function followLive(): void {
  let lastToken = token.peek()
  effect(() => {
    const now = watched.value
    // Another token sees another state.
    const isSameReader = token.value === lastToken || lastToken === lostSecret.peek()
    lastToken = token.value
    if (now === undefined) return undefined
    const stop = new AbortController()
    if (!isSameReader || received.peek()?.path !== now.path) received.value = undefined
    connection.value = { kind: 'connecting' }
    void keepOpen(now, stop.signal)
    return () => stop.abort()
  })
}

/** Opens the stream again and again, until `stop`. */
async function keepOpen(now: Watched, stop: AbortSignal): Promise<void> {
  let failures = 0
  while (!stop.aborted) {
    const end = await readOnce(now, stop, () => {
      failures = 0
    })
    if (stop.aborted || end === undefined) return
    const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** failures++)
    const known = connection.peek()
    connection.value = {
      kind: 'stale',
      sinceMs: known.kind === 'stale' ? known.sinceMs : end.currentMs,
      retryAtMs: Date.now() + waitMs,
      reason: end.reason,
    }
    await pause(waitMs, stop)
  }
}

interface End {
  /** Until then the state was current. */
  readonly currentMs: number
  /** As in {@link Connection}. */
  readonly reason: string
}

/** Reads a stream to its end. Resolves with undefined when it was refused. */
async function readOnce(
  { path, after }: Watched,
  stop: AbortSignal,
  onEvent: () => void,
): Promise<End | undefined> {
  const silence = new AbortController()
  const signal = AbortSignal.any([stop, silence.signal])
  let heardMs = Date.now()
  let timer = 0
  let reason = ''
  const listen = (): void => {
    heardMs = Date.now()
    window.clearTimeout(timer)
    timer = window.setTimeout(() => silence.abort(), silenceMsMax)
  }
  try {
    listen()
    const answer = await send(path, signal)
    const isFiltered = answer.headers.get('X-Consul-Results-Filtered-By-ACLs') === 'true'
    const isDeny = answer.headers.get('X-Consul-Default-ACL-Policy') === 'deny'
    for await (const texts of chunksOf(answer)) {
      listen()
      for (const text of texts) {
        onEvent()
        const before = received.peek()
        const data = after(before?.path === path ? before.data : undefined, parseAnswer(text))
        received.value = { path, data, isFiltered, isDeny, atMs: heardMs }
      }
      if (texts.length > 0 && connection.peek().kind !== 'live') connection.value = { kind: 'live' }
    }
  } catch (error) {
    if (error instanceof ApiFault && isFinal(error)) {
      if (!stop.aborted) connection.value = { kind: 'refused', fault: error }
      return undefined
    }
    reason = reasonOf(error)
  } finally {
    window.clearTimeout(timer)
  }
  // A connection that died silently was current when it was heard last.
  return { currentMs: silence.signal.aborted ? heardMs : Date.now(), reason }
}

/** To ask again would not help. */
function isFinal({ status }: ApiFault): boolean {
  return status === 400 || status === 403 || status === 404
}

/** The events that end in each piece of the stream; none: it was only a sign of life. */
async function* chunksOf({ body }: Response): AsyncGenerator<readonly string[]> {
  if (body === null) return
  const events = new ServerEventReader()
  const decoder = new TextDecoder()
  const reader = body.getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    yield events.push(decoder.decode(value, { stream: true })).map(({ data }) => data)
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, ms)
    stop.addEventListener('abort', () => {
      window.clearTimeout(timer)
      resolve()
    })
    // The network is back.
    window.addEventListener('online', () => resolve(), { once: true, signal: stop })
  })
}

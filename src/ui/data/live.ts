import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parseAnswer } from '../core/json.ts'
import { ServerEventReader } from '../core/server-events.ts'
import { ApiFault, send } from './api.ts'
import { token } from './preferences.ts'

// What the page shows comes over one stream of events. Each event has the whole state of what is watched, so a
// stream that was cut continues with the next event, and what was shown before stays until then.

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** The stream was cut. The page shows the state of that time. */
  | { readonly kind: 'stale'; readonly sinceMs: number; readonly retryAtMs: number }
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
const watchedPath = signal<string | undefined>(undefined)

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
  useEffect(() => {
    watchedPath.value = path
    return () => {
      if (watchedPath.peek() === path) watchedPath.value = undefined
    }
  }, [path])
  const now = connection.value
  const last = received.value?.path === path ? received.value : undefined
  return {
    data: last?.data as State | undefined,
    fault: now.kind === 'refused' ? now.fault : undefined,
    isFiltered: last?.isFiltered ?? false,
    isDeny: last?.isDeny ?? false,
    atMs: last?.atMs ?? 0,
  }
}

/** Keeps the stream of the page open. Call it once. */
export function followLive(): void {
  let lastToken = token.peek()
  effect(() => {
    const path = watchedPath.value
    // Another token sees another state.
    const isSameReader = token.value === lastToken
    lastToken = token.value
    if (path === undefined) return undefined
    const stop = new AbortController()
    if (!isSameReader || received.peek()?.path !== path) received.value = undefined
    connection.value = { kind: 'connecting' }
    void keepOpen(path, stop.signal)
    return () => stop.abort()
  })
}

/** Opens the stream again and again, until `stop`. */
async function keepOpen(path: string, stop: AbortSignal): Promise<void> {
  let failures = 0
  while (!stop.aborted) {
    const sinceMs = await readOnce(path, stop, () => {
      failures = 0
    })
    if (stop.aborted || sinceMs === undefined) return
    const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** failures++)
    const known = connection.peek()
    connection.value = {
      kind: 'stale',
      sinceMs: known.kind === 'stale' ? known.sinceMs : sinceMs,
      retryAtMs: Date.now() + waitMs,
    }
    await pause(waitMs, stop)
  }
}

/** Reads a stream to its end. Resolves with the time of that, undefined when it was refused. */
async function readOnce(
  path: string,
  stop: AbortSignal,
  onEvent: () => void,
): Promise<number | undefined> {
  const silence = new AbortController()
  const signal = AbortSignal.any([stop, silence.signal])
  let timer = 0
  const listen = (): void => {
    window.clearTimeout(timer)
    timer = window.setTimeout(() => silence.abort(), silenceMsMax)
  }
  try {
    listen()
    const answer = await send(path, signal)
    const isFiltered = answer.headers.get('X-Consul-Results-Filtered-By-ACLs') === 'true'
    const isDeny = answer.headers.get('X-Consul-Default-ACL-Policy') === 'deny'
    for await (const text of chunksOf(answer)) {
      listen()
      if (text.data === undefined) continue
      onEvent()
      received.value = {
        path,
        data: parseAnswer(text.data),
        isFiltered,
        isDeny,
        atMs: Date.now(),
      }
      if (connection.peek().kind !== 'live') connection.value = { kind: 'live' }
    }
  } catch (error) {
    if (
      error instanceof ApiFault &&
      (error.status === 403 || error.status === 404 || error.status === 400)
    ) {
      if (!stop.aborted) connection.value = { kind: 'refused', fault: error }
      return undefined
    }
  } finally {
    window.clearTimeout(timer)
  }
  return Date.now()
}

/** The latest event of each piece of the stream; without `data`: only a sign of life. */
async function* chunksOf(answer: Response): AsyncGenerator<{ readonly data: string | undefined }> {
  const { body } = answer
  if (body === null) return
  const events = new ServerEventReader()
  const decoder = new TextDecoder()
  const reader = body.getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    yield { data: events.push(decoder.decode(value, { stream: true })).at(-1)?.data }
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

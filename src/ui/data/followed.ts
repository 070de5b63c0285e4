import { useEffect, useState } from 'preact/hooks'
import { parseAnswer } from '../core/json.ts'
import { ask, asFault, faultOf, reasonOf } from './api.ts'
import type { ApiFault } from './api.ts'
import { connection } from './live.ts'
import { token } from './preferences.ts'

// Lists without a stream are followed by reads that wait for the next change.

export interface Followed<State> {
  /** Undefined until the first answer. Null: it does not exist (404). */
  readonly data: State | null | undefined
  readonly fault: ApiFault | undefined
  readonly isFiltered: boolean
}

const retryMsMin = 1000
const retryMsMax = 15_000
/** Between two reads, so that a state that changes all the time does not keep the browser busy. */
const restMs = 300

const nothing = { data: undefined, fault: undefined, isFiltered: false }

/**
 * What the API answers, read again at each change. `isMain`: the page is about it, so the header says whether it is
 * current.
 */
export function useFollowed<State>(path: string, isMain = true): Followed<State> {
  const [state, setState] = useState<Followed<State> & { readonly of: string }>({
    ...nothing,
    of: path,
  })
  const secret = token.value
  useEffect(() => {
    const stop = new AbortController()
    if (isMain) connection.value = { kind: 'connecting' }
    const show = (next: Followed<State>): void => setState({ ...next, of: path })
    void follow(path, stop.signal, isMain, show)
    return () => stop.abort()
  }, [path, secret, isMain])
  return state.of === path ? state : nothing
}

async function follow<State>(
  path: string,
  stop: AbortSignal,
  isMain: boolean,
  show: (state: Followed<State>) => void,
): Promise<void> {
  let [index, failures] = ['0', 0]
  for (;;) {
    try {
      const answer = await ask(waiting(path, index), stop)
      if (!answer.ok && answer.status !== 404) throw await faultOf(answer)
      const isFiltered = answer.headers.get('X-Consul-Results-Filtered-By-ACLs') === 'true'
      const text = await answer.text()
      if (stop.aborted) return
      // An index that goes backwards is that of another cluster.
      const next = answer.headers.get('X-Consul-Index') ?? '0'
      index = Number(next) < Number(index) ? '0' : next
      failures = 0
      const data = answer.status === 404 ? null : (parseAnswer(text) as State)
      show({ data, fault: undefined, isFiltered })
      if (isMain && connection.peek().kind !== 'live') connection.value = { kind: 'live' }
      await pause(restMs, stop)
    } catch (error) {
      if (stop.aborted) return
      const fault = asFault(error)
      if (fault.status >= 400 && fault.status < 500) {
        show({ ...nothing, fault })
        if (isMain) connection.value = { kind: 'refused', fault }
        return
      }
      const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** failures++)
      if (isMain) tellStale(waitMs, reasonOf(fault))
      // After a restart of the agent, waiting for the old index may take long.
      index = '0'
      await pause(waitMs, stop)
    }
    if (stop.aborted) return
  }
}

function waiting(path: string, index: string): string {
  const search = index === '0' ? 'stale' : `stale&index=${index}&wait=60s`
  return `${path}${path.includes('?') ? '&' : '?'}${search}`
}

function tellStale(waitMs: number, reason: string): void {
  const known = connection.peek()
  const sinceMs = known.kind === 'stale' ? known.sinceMs : Date.now()
  connection.value = { kind: 'stale', sinceMs, retryAtMs: Date.now() + waitMs, reason }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, ms)
    stop.addEventListener('abort', () => {
      window.clearTimeout(timer)
      resolve()
    })
  })
}

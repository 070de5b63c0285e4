import { useEffect, useState } from 'preact/hooks'
import { asFault, get } from './api.ts'
import type { ApiFault } from './api.ts'
import { isLostToken } from '../core/lost-token.ts'
import { token } from './preferences.ts'

export interface Fetched<State> {
  readonly data: State | undefined
  readonly fault: ApiFault | undefined
}

/** What the API answers, asked again when the path, the token or `version` changes; undefined path: nothing. */
export function useFetched<State>(path: string | undefined, version: unknown = 0): Fetched<State> {
  const [state, setState] = useState<Fetched<State>>({ data: undefined, fault: undefined })
  const secret = token.value
  useEffect(() => {
    if (path === undefined) return undefined
    const stop = new AbortController()
    const ask = async (): Promise<void> => {
      try {
        const { data } = await get<State>(path, stop.signal)
        if (!stop.signal.aborted) setState({ data, fault: undefined })
      } catch (error) {
        if (stop.signal.aborted) return
        const fault = asFault(error)
        setState((before) => after(before, fault))
      }
    }
    void ask()
    return () => stop.abort()
  }, [path, secret, version])
  return state
}

/** Known data stays while the agent cannot be reached, and while the reader has to enter another token. */
function after<State>({ data }: Fetched<State>, fault: ApiFault): Fetched<State> {
  if (data !== undefined && isLostToken(fault.message)) return { data, fault: undefined }
  return { data: fault.status === 0 ? data : undefined, fault }
}

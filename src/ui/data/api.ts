import { token } from './preferences.ts'

/** Why a request failed: the text of the agent, which names the next step, or that it cannot be reached. */
export class ApiFault extends Error {
  /** 0: there was no answer. */
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

export interface Got<Row> {
  readonly data: Row
  /** Rows were left out that the token may not see. */
  readonly isFiltered: boolean
}

/** Reads the API below /v1/. Rejects with an {@link ApiFault}. */
export async function get<Row>(path: string, signal?: AbortSignal): Promise<Got<Row>> {
  const answer = await send(path, signal)
  const { headers } = answer
  try {
    const data = (await answer.json()) as Row
    return { data, isFiltered: headers.get('X-Consul-Results-Filtered-By-ACLs') === 'true' }
  } catch (error) {
    throw signal?.aborted === true
      ? error
      : new ApiFault(answer.status, 'The agent sent no valid JSON.')
  }
}

/** A request that changes something. */
export interface Change {
  readonly method: 'PUT' | 'POST' | 'DELETE'
  readonly body?: string | Uint8Array<ArrayBuffer>
}

/** Sends a request with the token, a GET without `change`. Rejects with an {@link ApiFault} unless it succeeds. */
export async function send(path: string, signal?: AbortSignal, change?: Change): Promise<Response> {
  const answer = await ask(path, signal, change)
  if (answer.ok) return answer
  throw await faultOf(answer)
}

/** As {@link send}, but returns answers with errors as well. Rejects if there is no answer. */
async function ask(path: string, signal?: AbortSignal, change?: Change): Promise<Response> {
  const headers = new Headers()
  if (token.value !== '') headers.set('X-Consul-Token', token.value)
  const { method = 'GET', body = null } = change ?? {}
  try {
    const options = { method, body, headers, cache: 'no-store', signal: signal ?? null } as const
    return await fetch(`/v1/${path}`, options)
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new ApiFault(0, 'The agent does not answer. Is it running?')
  }
}

/** What an answer with an error says. */
async function faultOf(answer: Response): Promise<ApiFault> {
  const text = (await answer.text().catch(() => '')).trim()
  return new ApiFault(answer.status, text === '' ? `The agent answered ${answer.status}.` : text)
}

/** Any error of a request. */
export function asFault(error: unknown): ApiFault {
  return error instanceof ApiFault ? error : new ApiFault(0, String(error))
}

/** The path of an API call with a name in it. */
export function apiPath(
  prefix: string,
  name: string,
  parameters: Readonly<Record<string, string>> = {},
): string {
  const search = new URLSearchParams({ stale: '', ...parameters })
  return `${prefix}${encodeURIComponent(name)}?${search.toString()}`
}

import { parseAnswer } from '../core/json.ts'
import { isLostToken } from '../core/lost-token.ts'
import { toDatacenter } from '../core/route.ts'
import { datacenter, lostSecret, token } from './preferences.ts'

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
    const data = parseAnswer(await answer.text()) as Row
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

/** Sends a request of which only the success matters. */
export async function act({ path, ...change }: Change & { readonly path: string }): Promise<void> {
  await send(path, undefined, change)
}

/** Sends JSON, and reads the JSON of the answer. Rejects with an {@link ApiFault}. */
export async function sendJson<Row>(
  method: Change['method'],
  path: string,
  body?: unknown,
): Promise<Row> {
  const change = body === undefined ? { method } : { method, body: JSON.stringify(body) }
  const answer = await send(path, undefined, change)
  return (await answer.json().catch(() => {
    throw new ApiFault(answer.status, 'The agent sent no valid JSON.')
  })) as Row
}

/** As {@link send}, but returns answers with errors as well. Rejects if there is no answer. */
export async function ask(path: string, signal?: AbortSignal, change?: Change): Promise<Response> {
  const headers = new Headers()
  const secret = token.value
  if (secret !== '') headers.set('X-Consul-Token', secret)
  const { method = 'GET', body = null } = change ?? {}
  try {
    const options = { method, body, headers, cache: 'no-store', signal: signal ?? null } as const
    const answer = await fetch(`/v1/${toDatacenter(path, datacenter)}`, options)
    if (answer.status === 403 && isLostToken(await answer.clone().text())) lostSecret.value = secret
    return answer
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new ApiFault(0, 'The agent does not answer. Is it running?')
  }
}

/** What an answer with an error says. */
export async function faultOf(answer: Response): Promise<ApiFault> {
  const text = (await answer.text().catch(() => '')).trim()
  return new ApiFault(answer.status, text === '' ? `The agent answered ${answer.status}.` : text)
}

/** Any error of a request. */
export function asFault(error: unknown): ApiFault {
  return error instanceof ApiFault ? error : new ApiFault(0, String(error))
}

/** What the agent has answered; '' if it has not. */
export function reasonOf(error: unknown): string {
  return error instanceof ApiFault && error.status > 0 ? error.message : ''
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

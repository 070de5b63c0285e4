import type { Test } from 'tap'
import type { TestTokens } from '../../helpers/test-tokens.ts'
import { TestApi } from '../support.ts'
import type { Reply } from '../support.ts'

/** A session of the seed, a query, and an intention. */
export interface Seeded {
  readonly session: string
  readonly query: string
  readonly intention: string
}

export const secretIntention = {
  SourceName: 'secret',
  DestinationName: 'secret',
  Action: 'allow',
  SourceType: 'consul',
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** An API with one of each kind of thing, all of them secret. */
export async function seeded(t: Test, tokens: TestTokens) {
  const api = new TestApi(t, { tokens })
  const ask = (secret: string, method: Method, path: string, body?: unknown): Promise<Reply> =>
    api.ask(method, path, body, secret === '' ? {} : { 'x-consul-token': secret })
  const put = async (path: string, body?: unknown): Promise<Reply> => {
    const reply = await ask('root', path === '/v1/query' ? 'POST' : 'PUT', path, body)
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.body}`)
    return reply
  }
  const node = { Node: 'db1', Address: '10.0.0.1' }
  await put('/v1/catalog/register', {
    ...node,
    Service: { Service: 'secret', Port: 1 },
    Check: { Name: 'ping', Status: 'passing', ServiceID: 'secret' },
  })
  await put('/v1/agent/service/register', { Name: 'web', Check: { TTL: '60s' } })
  await put('/v1/agent/check/register', { Name: 'disk', TTL: '60s' })
  await put('/v1/kv/app/secret', 'hush')
  await put('/v1/event/fire/secret-event')
  const session = await put('/v1/session/create', { Node: 'db1', NodeChecks: [] })
  const query = await put('/v1/query', { Name: 'secret-query', Service: { Service: 'secret' } })
  const intention = await ask('root', 'POST', '/v1/connect/intentions', secretIntention)
  const idOf = ({ body }: Reply): string => (JSON.parse(body) as { ID: string }).ID
  return {
    api,
    ask,
    ids: { session: idOf(session), query: idOf(query), intention: idOf(intention) },
  }
}

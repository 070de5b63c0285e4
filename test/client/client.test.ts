import t from 'tap'
import { Client, refusedReason, refusedStatus } from '../../src/client/client.ts'
import { svcdError } from '../../src/base/errors.ts'
import { TestApi } from '../api/support.ts'

async function connected(
  t: ConstructorParameters<typeof TestApi>[0],
): Promise<{ readonly api: TestApi; readonly client: Client; readonly address: string }> {
  const api = new TestApi(t)
  const address = await api.app.listen({ host: '127.0.0.1', port: 0 })
  return { api, address, client: new Client({ address: `${address}/`, token: 'x' }) }
}

t.test('the client registers, lists and deregisters', async (t) => {
  const { client } = await connected(t)
  const warning = await client.registerService({
    Name: 'web',
    ID: 'web/1#x',
    Address: '10.9.0.1',
    Port: 8080,
    Tags: ['v1'],
    Checks: [{ TTL: '10s', Status: 'passing' }],
  })
  t.strictSame(warning, [])
  t.match(await client.registerService({ Name: 'ä_b', ID: 'a_b', Port: 1 }), [
    /^The service name "ä_b" is not a host name label .* many clients reject such names\.$/,
  ])
  t.strictSame(await client.services(), { consul: [], ä_b: [], web: ['v1'] })
  t.match(await client.nodes(), [{ Node: 'n1', Address: '127.0.0.1' }])
  t.match(await client.health('web', { passing: true, tags: ['v1'] }), [
    { Service: { ID: 'web/1#x', Port: 8080 }, Checks: [{ Status: 'passing' }] },
  ])
  t.strictSame(await client.health('web', { tags: ['v1', 'v2'] }), [])
  t.match(await client.agentServices(), { 'web/1#x': { Service: 'web' } })
  t.match(await client.self(), { Config: { Datacenter: 'dc1' }, DebugConfig: { DNSPort: 8600 } })
  t.match(await client.members(), [{ Name: 'n1' }])
  t.equal(await client.leader(), '127.0.0.1:8300')
  await client.deregisterService('web/1#x')
  t.strictSame(await client.services(), { consul: [], ä_b: [] })
})

t.test('an agent’s refusal is quoted', async (t) => {
  const { api, client, address } = await connected(t)
  const errorOf = async (port: number): Promise<unknown> =>
    client.registerService({ Name: 'x', Port: port }).catch((error: unknown) => error)
  const wrong = await errorOf(70_000)
  t.match(wrong, {
    code: 'agent-refused',
    message: /^Invalid Port: 70000 is not between 0 and 65535$/,
  })
  t.equal(refusedStatus(wrong), 400)
  t.equal(refusedReason(wrong), 'Invalid Port: 70000 is not between 0 and 65535')
  // A fault of the agent's own: another one may do better.
  api.backend.agent.registerService = () => Promise.reject(svcdError('no-leader', {}))
  const failed = await errorOf(1)
  t.match(failed, {
    code: 'agent-refused',
    message: new RegExp(`^The agent at ${address} reports: No cluster leader\\. To read`),
  })
  t.equal(refusedStatus(failed), 500)
  t.match(refusedReason(failed), /^No cluster leader/)
})

t.test('when nobody answers, the error names the address and the next step', async (t) => {
  const { api, client, address } = await connected(t)
  await api.app.close()
  await t.rejects(client.services(), {
    code: 'agent-unreachable',
    message: new RegExp(`No agent answers at ${address} \\(.*ECONNREFUSED.*\\)\\. Start one with`),
  })
})

t.test('an answer that is not an agent’s says so', async (t) => {
  const { api, client } = await connected(t)
  api.backend.peers = () => []
  api.app.server.removeAllListeners('request')
  api.app.server.on('request', (_request, response) => response.end('<html>'))
  await t.rejects(client.services(), { code: 'not-an-agent', message: /is not an agent/ })
})

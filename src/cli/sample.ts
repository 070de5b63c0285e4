import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { AclClient } from '../client/acl.ts'
import { Client, refusedReason, refusedStatus } from '../client/client.ts'
import type { Config } from '../config/options.ts'
import { hostPort, type Endpoint } from './endpoint.ts'

export interface Sample {
  /** What to print: commands that show the service. */
  readonly text: string
  stop(): void
}

/** How long the start waits for a token, and for the first checks. */
const patienceMs = 5000

interface Instance {
  readonly id: string
  readonly server: Server
  readonly url: string
  readonly port: number
}

/**
 * Starts two small HTTP servers in this process and registers them as the service `web`, each with
 * a health check, through the public API. Resolves when both are healthy. With access control, it uses the token of the
 * agent. If that is refused, the text says what is missing.
 */
export async function startSample(
  http: Endpoint,
  dns: Endpoint,
  { domain, acl }: Pick<Config, 'domain' | 'acl'>,
): Promise<Sample> {
  const token = acl.enabled ? (acl.tokens.agent ?? acl.tokens.initialManagement) : undefined
  const client = new Client({ address: `http://${hostPort(reachable(http))}`, token })
  const instances = [await startInstance('web-1'), await startInstance('web-2')] as const
  const stop = (): void => {
    for (const { server } of instances) server.close().closeAllConnections()
  }
  if (token !== undefined) await untilThere(new AclClient(client))
  for (const [at, instance] of instances.entries()) {
    const refusal = await register(client, instance, `v${at + 1}`)
    if (refusal === undefined) continue
    stop()
    return { text: refusedText(refusal), stop: () => {} }
  }
  await untilHealthy(client, instances.length)
  const { address, port } = reachable(dns)
  const question = `@${address} -p ${port} web.service.${domain}`
  return { text: sampleText(question, instances[1].url), stop }
}

/** Returns why it was refused. */
async function register(
  client: Client,
  { id, url, port }: Instance,
  tag: string,
): Promise<string | undefined> {
  try {
    const Checks = [{ HTTP: `${url}/health`, Interval: '1s', Timeout: '1s' }]
    const place = { Address: '127.0.0.1', Port: port }
    await client.registerService({ Name: 'web', ID: id, Tags: [tag], ...place, Checks })
    return undefined
  } catch (error) {
    if (refusedStatus(error) !== 403) throw error
    return refusedReason(error) ?? ''
  }
}

/** The token of `acl.tokens.initial_management` is created a moment after the start; a token that never comes is refused later. */
async function untilThere(client: AclClient): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      await client.self()
      return
    } catch (error) {
      if (refusedStatus(error) !== 403) throw error
      if (performance.now() >= deadline) return
      await delay(100)
    }
  }
}

function refusedText(reason: string): string {
  return `==> The sample service "web" is not registered. ${reason}
    The sample uses the token of acl.tokens.agent, or else of acl.tokens.initial_management. It needs service:write on "web".

`
}

async function startInstance(id: string): Promise<Instance> {
  let healthy = true
  const server = createServer((request, response) => {
    if (request.url === '/fail') healthy = false
    if (request.url === '/heal') healthy = true
    response.statusCode = request.url === '/health' && !healthy ? 503 : 200
    response.end(`${id} is ${healthy ? 'healthy' : 'failing'}\n`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { id, server, port, url: `http://127.0.0.1:${port}` }
}

/** The first checks run immediately; after five seconds without them this continues anyway. */
async function untilHealthy(client: Client, count: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    if ((await client.health('web', { passing: true })).length >= count) return
    await delay(20)
  }
}

function sampleText(question: string, url: string): string {
  return `==> The sample service "web" is registered, with two instances and a health check for each. Query it:

    dig ${question} SRV

    Let one instance fail its check, query again one second later, then let it recover:

    curl ${url}/fail
    curl ${url}/heal

`
}

/** An address to connect to: 0.0.0.0 and :: only make sense for listening. */
function reachable({ address, port }: Endpoint): Endpoint {
  if (address === '0.0.0.0') return { address: '127.0.0.1', port }
  return address === '::' ? { address: '::1', port } : { address, port }
}

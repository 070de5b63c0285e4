import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from '../client/client.ts'
import { hostPort, type Endpoint } from './endpoint.ts'

export interface Sample {
  /** What to print: commands that show the service. */
  readonly text: string
  stop(): void
}

interface Instance {
  readonly id: string
  readonly server: Server
  readonly url: string
  readonly port: number
}

/**
 * Starts two small HTTP servers in this process and registers them as the service `web`, each with
 * a health check, through the public API. Resolves when both are healthy.
 */
export async function startSample(http: Endpoint, dns: Endpoint, domain: string): Promise<Sample> {
  const client = new Client({ address: `http://${hostPort(reachable(http))}` })
  const instances = [await startInstance('web-1'), await startInstance('web-2')] as const
  for (const [at, { id, url, port }] of instances.entries()) {
    await client.registerService({
      Name: 'web',
      ID: id,
      Tags: [`v${at + 1}`],
      Address: '127.0.0.1',
      Port: port,
      Checks: [{ HTTP: `${url}/health`, Interval: '1s', Timeout: '1s' }],
    })
  }
  await untilHealthy(client, instances.length)
  const { address, port } = reachable(dns)
  return {
    text: sampleText(`@${address} -p ${port} web.service.${domain}`, instances[1].url),
    stop: () => {
      for (const { server } of instances) server.close().closeAllConnections()
    },
  }
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
  const deadline = performance.now() + 5000
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

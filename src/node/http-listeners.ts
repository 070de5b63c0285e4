import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { HttpApi } from '../api/http-api.ts'
import { connectionEndings } from '../api/connection-endings.ts'
import { bindError, http } from '../net/bind-error.ts'
import type { Endpoint } from './dns-service.ts'

/**
 * Opens the HTTP port on every client address. Rejects with `port-in-use` or `bind-failed`. The
 * first address is fastify's own server, the others hand their requests to the same router; closing
 * the API closes all of them.
 */
export async function listenHttp(
  api: HttpApi,
  addresses: readonly string[],
  port: number,
): Promise<readonly Endpoint[]> {
  const [first = '127.0.0.1', ...others] = addresses
  const closes: (() => Promise<void>)[] = []
  api.addHook('preClose', async () => {
    await Promise.all(closes.map((close) => close()))
  })
  await orBindError(first, port, () => api.listen({ host: first, port }))
  const endpoints: Endpoint[] = [{ address: first, port: portOf(api.server) }]
  for (const address of others) {
    const server = createServer((request, response) => api.routing(request, response))
    // With port 0 the first address chose the port for all.
    const same = port === 0 ? portOf(api.server) : port
    await orBindError(address, same, () => listening(server, address, same))
    const end = connectionEndings(server)
    closes.push(() => closed(server, end))
    endpoints.push({ address, port: same })
  }
  return endpoints
}

function portOf(server: Server): number {
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function closed(server: Server, end: () => void): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    end()
  })
}

async function orBindError(
  address: string,
  port: number,
  listen: () => Promise<unknown>,
): Promise<void> {
  try {
    await listen()
  } catch (error) {
    throw bindError(http, address, port, error)
  }
}

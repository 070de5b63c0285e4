import type { FastifyRequest } from 'fastify'
import { unmappedIp } from '../base/ip.ts'
import type { Origin } from '../ports/writes.ts'

/** Who asks, and with which request. */
export function originOf(request: FastifyRequest, cause: string): Origin {
  const client = request.headers['user-agent']
  const actor = `http ${unmappedIp(request.ip)}`
  return client === undefined ? { actor, cause } : { actor, cause, client: cutClient(client) }
}

/** Browsers continue for lines. */
function cutClient(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 59)}…`
}

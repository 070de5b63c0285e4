import type { FastifyRequest } from 'fastify'
import { unmappedIp } from '../base/ip.ts'
import type { Origin } from '../ports/writes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** See {@link addressOf}. */
    address?: string
  }
}

/** Who asks, and with which request. */
export function originOf(request: FastifyRequest, cause: string): Origin {
  const client = request.headers['user-agent']
  const accessorId = request.requester?.accessorId ?? ''
  const actor = `http ${addressOf(request)}`
  const origin: Origin =
    accessorId === '' ? { actor, cause } : { actor, accessor: accessorId, cause }
  return client === undefined ? origin : { ...origin, client: cutClient(client) }
}

/**
 * The IP address that the request comes from. It is kept, because a socket does not have it any more once it is closed;
 * '' if it was closed before the first call.
 */
export function addressOf(request: FastifyRequest): string {
  return (request.address ??= unmappedIp(request.ip ?? ''))
}

/** Browsers continue for lines. */
function cutClient(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 59)}…`
}

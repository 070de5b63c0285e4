import type { Socket } from 'node:net'
import { must } from '../../base/assert.ts'
import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import { sourceOf } from '../client-source.ts'
import type { PacketAsker, StreamResponder } from '../packet-responder.ts'

/** Queries of one connection that wait for upstream servers. More are not taken. */
export const waitingMax = 100

/** Upstream servers may need longer than a connection may be idle. Clients give up before. */
const waitingMs = 30_000

/** The client of a connection. Over a stream no answer is too long for the path. */
export function streamAsker(socket: Socket, recursion: IpPrefixes | undefined): PacketAsker {
  const client = socket.remoteAddress ?? ''
  const mayRecurse = recursion?.containsText(client) ?? false
  const source = sourceOf(client)
  return { transport: 'tcp', client, source, pathBytesMax: 65_535, mayRecurse }
}

/** The answer to the query that was passed on just now. */
export function laterOf({ later }: StreamResponder): Promise<Uint8Array> {
  return must(later, 'a responder that passes queries on answers later')()
}

/** How long a connection may stay without a query, if `waiting` of its queries have no answer yet. */
export function idleMsOf(idleTimeoutMs: number, waiting: number): number {
  return waiting > 0 ? Math.max(idleTimeoutMs, waitingMs) : idleTimeoutMs
}

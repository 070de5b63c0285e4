import type { FastifyInstance } from 'fastify'

interface Connection {
  readonly bytesRead: number
  on(event: 'close', listener: (this: Connection) => void): unknown
  destroy(): void
}

/** More than writes get, so that what waits for one is answered first. */
const graceMsDefault = 3000

/**
 * Follows the connections of `server`. The returned function starts to end them. Connections on
 * which nothing was ever sent are closed immediately: clients keep such spares, Node counts them as
 * busy for a minute, and a stop would wait for them. The others have until their answers are out,
 * but not without limit: a client that stopped reading its snapshot must not keep an agent from
 * stopping.
 */
export function connectionEndings(
  server: FastifyInstance['server'],
  graceMs = graceMsDefault,
): () => void {
  const sockets = new Set<Connection>()
  // One function for all: ten thousand connections may wait.
  function forget(this: Connection): void {
    sockets.delete(this)
  }
  server.on('connection', (socket: Connection) => {
    sockets.add(socket)
    socket.on('close', forget)
  })
  return () => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy()
    }, graceMs)
    server.once('close', () => clearTimeout(timer))
  }
}

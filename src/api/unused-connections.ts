import type { FastifyInstance } from 'fastify'

interface Connection {
  readonly bytesRead: number
  destroy(): void
}

/**
 * Follows the connections of `server`; the function returned ends those on which nothing was ever
 * sent. Clients keep such spares, Node counts them as busy for a minute, and a stop would wait for
 * them.
 */
export function unusedConnections(server: FastifyInstance['server']): () => void {
  const sockets = new Set<Connection>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return () => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  }
}

import type { Socket } from 'node:net'
import type { Server as TlsServer, TLSSocket } from 'node:tls'
import type { Slot } from './budget.ts'
import type { ConnectionGate } from './gate.ts'

/**
 * What TLS hands over is another socket than the one that was let in, with the same ends. From now
 * on `gate` knows the places of those, too. To be called before the gate guards the server.
 */
export function followTls(server: TlsServer, gate: ConnectionGate): void {
  const slots = new Map<string, Slot>()
  server.on('connection', (socket: Socket) => {
    const slot = gate.slotOf(socket)
    if (slot === undefined) return
    const ends = endsOf(socket)
    slots.set(ends, slot)
    socket.on('close', () => slots.delete(ends))
  })
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const slot = slots.get(endsOf(socket))
    // It has gone already.
    if (slot === undefined) socket.destroy()
    else gate.follow(socket, slot)
  })
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ')
}

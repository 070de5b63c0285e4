import type { Socket } from 'node:net'

/** The first byte of a TLS connection: a record of type handshake (RFC 8446 §5.1). */
const handshakeRecord = 0x16

export interface FirstByte {
  readonly timeoutMs: number
  readonly onTls: () => void
  readonly onOther: () => void
  /** Nothing came in time. */
  readonly onLate: () => void
}

/**
 * Tells by its first byte whether a client begins with TLS. The byte stays in `socket`, for the
 * next reader.
 */
export function atFirstByte(
  socket: Socket,
  { timeoutMs, onTls, onOther, onLate }: FirstByte,
): void {
  const timer = setTimeout(onLate, timeoutMs)
  const end = (): void => clearTimeout(timer)
  // A connection may end before it says anything.
  socket.on('error', ignore)
  socket.once('close', end)
  socket.once('data', (chunk: Buffer) => {
    end()
    socket.off('close', end)
    socket.pause()
    socket.unshift(chunk)
    if (chunk[0] === handshakeRecord) onTls()
    else onOther()
    socket.off('error', ignore)
  })
}

function ignore(): void {}

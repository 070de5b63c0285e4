import type { Socket } from 'node:net'

/** How long a client may take to read one message of a zone transfer, or svcd to make the next. */
export const transferStallMs = 60_000

/**
 * Sends messages one after another, and takes the next one only when the client has read most of what was
 * sent. Resolves when all are sent, or when the connection has ended; never rejects.
 */
export async function sendTransfer(
  socket: Socket,
  messages: AsyncIterable<Uint8Array>,
  onProgress: () => void,
): Promise<void> {
  onProgress()
  try {
    for await (const message of messages) {
      if (!socket.writable) return
      onProgress()
      if (!socket.write(framed(message))) await drained(socket)
      onProgress()
    }
  } catch {
    // Its maker has logged the reason. An end without the last SOA tells the client (RFC 5936 §2.2).
    socket.destroy()
  }
}

/** RFC 1035 §4.2.2. */
function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length)
  frame.writeUInt16BE(message.length, 0)
  frame.set(message, 2)
  return frame
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
    if (socket.destroyed) done()
  })
}

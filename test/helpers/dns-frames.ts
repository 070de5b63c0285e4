import type { Readable } from 'node:stream'

/** A message as it is sent over TCP (RFC 1035 §4.2.2). */
export function framed(packet: Uint8Array): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(packet.length)
  return Buffer.concat([length, packet])
}

/** Reads `count` framed messages, or as many as come before the server ends. */
export async function readFrames(socket: Readable, count: number): Promise<Buffer[]> {
  const frames: Buffer[] = []
  let pending = Buffer.alloc(0)
  if (count === 0) return frames
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    pending = Buffer.concat([pending, chunk as Buffer])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0)
      frames.push(pending.subarray(2, end))
      pending = pending.subarray(end)
    }
    if (frames.length >= count) break
  }
  return frames
}

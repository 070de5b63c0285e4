import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { lengthAndText } from '../../src/peers/bytes.ts'
import { buildFrame, frameHeaderBytes, frameTypes } from '../../src/peers/frame.ts'
import { decodeHello, encodeHello } from '../../src/peers/hello.ts'
import type { Hello } from '../../src/peers/hello.ts'
import { must } from '../../src/base/assert.ts'

/** A greeting with which any server would talk, but for what is changed. */
export function greeting(changes: Partial<Hello> = {}): Hello {
  return {
    protocolMin: 1,
    protocolMax: 1,
    purpose: 'messages',
    epoch: 0,
    features: 0,
    instance: 77,
    clusterId: undefined,
    id: 'raw',
    name: 'raw',
    address: '127.0.0.1:1',
    to: undefined,
    ...changes,
  }
}

/** Connects to the port of a server from an address of its own, by which the log can tell it apart. */
export async function rawPeer(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localAddress })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Greets and resolves with the answer's greeting. */
export async function greet(socket: Socket, hello: Hello): Promise<Hello> {
  socket.write(encodeHello(hello))
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  return must(decodeHello(chunk.subarray(frameHeaderBytes)), 'it greets back')
}

/** A body that is not bytes or a text is sent as JSON. */
export function requestFrame(kind: string, body: unknown, id = 1): Buffer {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(id)
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(text)
  return buildFrame(frameTypes.request, 1, [number, lengthAndText(kind, 1), bytes])
}

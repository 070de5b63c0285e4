import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { connectUdp } from '../../../src/net/upstream/connected-udp.ts'
import type { Socket } from 'node:dgram'

const idle = { onMessage: (): void => {}, onError: (): void => {} }

/** A server that returns each packet. */
async function startEcho(t: Test, address: string): Promise<{ server: Socket; port: number }> {
  const server = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  server.on('message', (packet, from) => server.send(packet, from.port, from.address))
  server.bind(0, address)
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { server, port: server.address().port }
}

for (const address of ['127.0.0.1', '::1']) {
  t.test(`packets reach ${address}, and answers come back`, async (t) => {
    const { port } = await startEcho(t, address)
    const answer = new Promise<Uint8Array>((resolve) => {
      const socket = connectUdp({ address, port }, { ...idle, onMessage: resolve })
      t.teardown(() => socket.close())
      socket.send(Uint8Array.of(1, 2, 3))
    })
    t.same([...(await answer)], [1, 2, 3])
  })
}

t.test('no other socket can use the port of a query, and so take its answer', async (t) => {
  const { server, port } = await startEcho(t, '127.0.0.1')
  const socket = connectUdp({ address: '127.0.0.1', port }, idle)
  t.teardown(() => socket.close())
  const asked = once(server, 'message')
  socket.send(Uint8Array.of(1))
  const [, from] = (await asked) as [Buffer, { port: number }]
  const thief = createSocket({ type: 'udp4', reuseAddr: true })
  t.teardown(() => thief.close())
  const failed = once(thief, 'error')
  thief.bind(from.port, '127.0.0.1')
  t.match((await failed)[0], { code: 'EADDRINUSE' })
})

t.test('a closed port is an error', async (t) => {
  // The socket under test does not keep the process alive.
  await startEcho(t, '127.0.0.1')
  const other = createSocket('udp4')
  other.bind(0, '127.0.0.1')
  await once(other, 'listening')
  const closed = other.address().port
  const gone = once(other, 'close')
  other.close()
  await gone
  await new Promise<void>((resolve) => {
    const at = { address: '127.0.0.1', port: closed }
    const socket = connectUdp(at, { ...idle, onError: resolve })
    t.teardown(() => socket.close())
    socket.send(Uint8Array.of(1))
  })
})

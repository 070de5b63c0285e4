import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { DescriptorList } from '../../../src/net/udp/descriptor-list.ts'
import { PolledSockets } from '../../../src/net/upstream/polled-sockets.ts'
import type { ConnectedUdp, UdpEvents } from '../../../src/net/upstream/connected-udp.ts'
import { loadLibc } from '../../../src/process/libc.ts'

const libc = loadLibc()
const needs = { skip: libc instanceof Error ? libc.message : false }

async function rig(t: Test, onDrop: (error: unknown) => void = () => {}) {
  if (libc instanceof Error) throw libc
  const server = createSocket('udp4')
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const sockets = new PolledSockets(libc, new DescriptorList(), onDrop)
  t.teardown(() => sockets.close())
  return { server, sockets, at: { address: '127.0.0.1', port: server.address().port } }
}

/** Sends a packet by each of the sockets, and waits until each has got it back. */
async function echoed(
  server: ReturnType<typeof createSocket>,
  all: readonly ConnectedUdp[],
): Promise<void> {
  for (const socket of all) {
    const came = once(server, 'message')
    socket.send(Buffer.from('packet'))
    const [bytes, from] = (await came) as [Buffer, { port: number }]
    await new Promise<void>((resolve) =>
      server.send(bytes, from.port, '127.0.0.1', () => resolve()),
    )
  }
}

t.test(
  'a socket that gets the descriptor of a closed one in a turn has no error',
  needs,
  async (t) => {
    const { server, sockets, at } = await rig(t)
    let [messages, errors] = [0, 0]
    const all: ConnectedUdp[] = []
    const events = (own: number): UdpEvents => ({
      onError: () => errors++,
      onMessage: () => {
        messages++
        // The other one is readable, too; the next socket gets its number.
        all[1 - own]?.close()
        sockets.connect(at, { onMessage: () => messages++, onError: () => errors++ })
      },
    })
    all.push(sockets.connect(at, events(0)), sockets.connect(at, events(1)))
    await echoed(server, all)
    sockets.receive()
    t.same([messages, errors], [1, 0])
  },
)

t.test('a fault in one packet is reported, and the next is taken', needs, async (t) => {
  const dropped: unknown[] = []
  const { server, sockets, at } = await rig(t, (error) => dropped.push(error))
  const fault = new Error('a fault')
  let messages = 0
  const onMessage = (): void => {
    if (++messages === 1) throw fault
  }
  const socket = sockets.connect(at, { onMessage, onError: () => t.fail('no error of the socket') })
  await echoed(server, [socket, socket])
  sockets.receive()
  t.equal(messages, 2)
  t.strictSame(dropped, [fault])
})

t.test('a closed port is an error of the socket', needs, async (t) => {
  const { sockets } = await rig(t)
  const closed = createSocket('udp4')
  closed.bind(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address()
  closed.close()
  await once(closed, 'close')
  let errors = 0
  const events = { onMessage: () => t.fail('no packet'), onError: () => errors++ }
  const socket = sockets.connect({ address: '127.0.0.1', port }, events)
  socket.send(Buffer.from('packet'))
  sockets.receive()
  t.equal(errors, 1)
})

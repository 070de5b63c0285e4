import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { listenTcp } from '../../src/net/tcp/dns-tcp.ts'
import type { TransferDoor } from '../../src/net/packet-responder.ts'
import { asksForTransfer } from '../../src/transfer/question.ts'
import { Bench, buildQuery } from '../dns/fixture.ts'
import { framed, readFrames } from '../helpers/dns-frames.ts'
import { openGate } from '../helpers/open-gate.ts'
import { until } from '../helpers/until.ts'

const messageBytes = 30_000
const transfer = framed(buildQuery('consul', 'AXFR', { id: 1 }))
const plain = (id: number): Buffer => framed(buildQuery('web.service.consul', 'A', { id }))

/** Sends `count` messages to who asks for a transfer, and knows how many were taken. */
class CountingDoor implements TransferDoor {
  taken = 0
  ended = 0
  readonly #count: number
  readonly #failAt: number

  constructor(count: number, failAt = Infinity) {
    this.#count = count
    this.#failAt = failAt
  }

  take(packet: Uint8Array): AsyncIterable<Uint8Array> | undefined {
    return asksForTransfer(packet) ? this.#messages() : undefined
  }

  async *#messages(): AsyncGenerator<Uint8Array, void> {
    try {
      for (let n = 0; n < this.#count; n++) {
        if (n === this.#failAt) throw new Error('a planted failure')
        this.taken++
        const message = Buffer.alloc(messageBytes)
        message.writeUInt32BE(n, messageBytes - 4)
        yield message
      }
    } finally {
      this.ended++
    }
  }
}

async function serve(t: Test, transfers: TransferDoor) {
  const bench = new Bench()
  bench.registry.add('web', { at: '10.9.0.1' })
  const at = { address: '127.0.0.1', port: 0, gate: openGate() }
  const listener = await listenTcp({ ...at, responder: bench.responder, transfers })
  t.teardown(() => listener.close())
  const open = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: listener.port })
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  return { listener, open }
}

const isInOrder = (frames: readonly Buffer[]): boolean =>
  frames.every(
    (frame, n) => frame.length === messageBytes && frame.readUInt32BE(messageBytes - 4) === n,
  )

t.test(
  'a client that reads slowly gets all messages, and few are made before it reads',
  async (t) => {
    const count = 2000
    const door = new CountingDoor(count)
    const { open } = await serve(t, door)
    const slow = await open()
    slow.pause()
    slow.write(transfer)
    let taken = -1
    // The buffers of the system fill up, and then no more is made.
    await until(
      'no more messages are made',
      20_000,
      () => {
        const isStill = door.taken > 0 && door.taken === taken
        taken = door.taken
        return isStill
      },
      200,
    )
    t.ok(door.taken < count, `${door.taken} of ${count}`)
    const other = await open()
    other.write(plain(7))
    const [answer] = await readFrames(other, 1)
    t.equal(answer?.readUInt16BE(0), 7, 'other clients are answered meanwhile')
    t.ok(isInOrder(await readFrames(slow, count)))
    t.equal(door.ended, 1)
  },
)

t.test(
  'queries on the connection of a transfer are answered in order, before and after it',
  async (t) => {
    const { open } = await serve(t, new CountingDoor(20))
    const socket = await open()
    socket.end(Buffer.concat([plain(5), transfer, plain(6), transfer, plain(7)]))
    const frames = await readFrames(socket, 100)
    const ids = frames
      .filter(({ length }) => length < messageBytes)
      .map((frame) => frame.readUInt16BE(0))
    t.strictSame(ids, [5, 6, 7])
    t.equal(frames.length, 43)
    t.ok(isInOrder(frames.slice(1, 21)))
    t.ok(isInOrder(frames.slice(22, 42)))
  },
)

t.test('a client that goes away ends its transfer', async (t) => {
  const door = new CountingDoor(1_000_000)
  const { open } = await serve(t, door)
  const socket = await open()
  socket.write(transfer)
  await readFrames(socket, 3)
  socket.destroy()
  await until('the transfer has ended', 10_000, () => door.ended === 1)
  t.ok(door.taken < 10_000)
})

t.test('a failure in the middle closes the connection without an end of the zone', async (t) => {
  const { open } = await serve(t, new CountingDoor(10, 5))
  const socket = await open()
  socket.write(transfer)
  const frames = await readFrames(socket, 10).catch(() => [])
  t.ok(frames.length <= 5)
  await until('it is closed', 5000, () => socket.destroyed)
})

t.test('a server that closes does not wait for a client that does not read', async (t) => {
  const door = new CountingDoor(1_000_000)
  const { listener, open } = await serve(t, door)
  const socket = await open()
  socket.pause()
  socket.write(transfer)
  await until('the transfer has begun', 5000, () => door.taken > 0)
  await listener.close()
  await until('the transfer has ended', 5000, () => door.ended === 1)
})

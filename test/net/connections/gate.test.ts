import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import { ConnectionBudget } from '../../../src/net/connections/budget.ts'
import { ConnectionGate } from '../../../src/net/connections/gate.ts'
import { HttpRefusals } from '../../../src/net/connections/http-refusal.ts'
import { PeerNotices } from '../../../src/process/peer-notices.ts'
import { failedProbe } from '../../../src/probes/result.ts'

async function guarded(t: Test, perLocalAddressMax = Infinity) {
  const taken: Socket[] = []
  const lines: string[] = []
  const logger = { ...silentLogger, warn: (_fields: object, line: string) => lines.push(line) }
  const clock = { monotonicMs: () => 0, wallMs: () => 0 }
  const refusals = new HttpRefusals()
  const gate = new ConnectionGate({
    what: 'HTTP',
    budget: new ConnectionBudget(2).port({
      openMax: 3,
      perAddressMax: 1,
      perLocalAddressMax,
      atAddressMax: 'refuse',
    }),
    notices: new PeerNotices(logger, clock),
    refuse: (socket, refusal) => refusals.refuse(socket, refusal),
  })
  const server = createServer((socket) => {
    socket.on('error', () => {})
    gate.slotOf(socket)?.enter()
    taken.push(socket)
  })
  gate.guard(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of taken) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const open = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port })
    await once(socket, 'connect')
    return socket
  }
  return { open, taken, lines, gate, server }
}

async function readAll(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

t.test('a client that is refused reads why, though its request is never read', async (t) => {
  for (const [max, perAddress, status, words] of [
    [
      2,
      Infinity,
      /^HTTP\/1.1 503 Service Unavailable\r\n/,
      /All connections that this agent accepts/,
    ],
    [1, 1, /^HTTP\/1.1 429 Too Many Requests\r\n/, /Your IP is issuing too many concurrent/],
  ] as const) {
    const { open, taken, lines, gate } = await guarded(t, perAddress)
    for (let n = 0; n < max; n++) await open()
    for (let n = 0; n < 3; n++) {
      const late = await open()
      late.write(`POST / HTTP/1.1\r\nContent-Length: 50000\r\n\r\n${'x'.repeat(50_000)}`)
      const answer = await readAll(late)
      t.match(answer, status)
      t.match(answer, /\r\nConnection: close\r\n\r\n/)
      t.match(answer, words)
    }
    t.equal(taken.length, max, 'nobody else hears of it')
    t.match(gate.figures, { open: max, refusedAddress: max === 1 ? 3 : 0 })
    t.equal(lines.length, 1, 'one line a minute of one address')
  }
})

t.test('an accept that fails is counted, and ends nothing', async (t) => {
  const { server, gate, lines, open } = await guarded(t)
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  t.equal(gate.figures.acceptErrors, 2)
  t.strictSame(lines, ['cannot accept a connection to HTTP: accept EMFILE'])
  const socket = await open()
  socket.destroy()
})

t.test('a name that is not found says nothing of a service only without descriptors', async (t) => {
  const error = Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' })
  t.equal(failedProbe('TCP db:1', error).evidence, 'absence')
})

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { RequestTurns } from '../../../src/net/connections/request-turns.ts'
import { until } from '../../helpers/until.ts'

interface Served {
  readonly port: number
  readonly turns: RequestTurns
  /** Requests that are being handled, by their paths. */
  readonly open: Map<string, ServerResponse>
  /** In the order in which they were handled. */
  readonly paths: string[]
}

/** A server whose requests with `/now` are answered at once, others when the test wants it. */
async function serve(t: Test, waitingMax?: number): Promise<Served> {
  const open = new Map<string, ServerResponse>()
  const paths: string[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { url = '' } = request
    paths.push(url)
    if (url.startsWith('/now')) response.end(url)
    else open.set(url, response)
  })
  const turns = new RequestTurns({
    ...(waitingMax === undefined ? {} : { waitingMax }),
    onOverflow: (socket) => socket.destroy(),
  })
  turns.order(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, turns, open, paths }
}

interface Client {
  readonly socket: Socket
  /** What it has received. */
  text: string
}

async function client(t: Test, port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1')
  const client = { socket, text: '' }
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => (client.text += chunk.toString()))
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return client
}

function get(...paths: readonly string[]): string {
  return paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join('')
}

const numbered = (count: number, of: string): readonly string[] =>
  Array.from({ length: count }, (_, n) => `/${of}/${n}`)

t.test('requests of one connection are handled one after another', async (t) => {
  const { port, turns, open, paths } = await serve(t)
  const { socket } = await client(t, port)
  socket.write(get('/a', '/b', '/now/c'))
  await until('two wait', 5000, () => turns.waiting === 2)
  t.strictSame(paths, ['/a'])
  must(open.get('/a')).end()
  await until('the second', 5000, () => open.has('/b'))
  t.strictSame(paths, ['/a', '/b'])
  must(open.get('/b')).end()
  await until('the third', 5000, () => paths.length === 3)
  t.equal(turns.waiting, 0)
  socket.write(get('/now/d'))
  await until('a fourth, later', 5000, () => paths.length === 4)
})

t.test('a client with a thousand requests delays another by one of them', async (t) => {
  const { port, paths } = await serve(t)
  const greedy = await client(t, port)
  const modest = await client(t, port)
  greedy.socket.write(get(...numbered(1000, 'now/greedy')))
  await until('the greedy one is served', 5000, () => paths.length > 0)
  modest.socket.write(get('/now/modest'))
  await until('all', 20_000, () => paths.length === 1001)
  t.ok(paths.indexOf('/now/modest') < 900, `it was number ${paths.indexOf('/now/modest')}`)
  const order = paths.filter((path) => path !== '/now/modest')
  t.strictSame(order, numbered(1000, 'now/greedy'), 'in the order in which they came')
})

t.test('a connection whose requests wait is read again when they are answered', async (t) => {
  const { port, turns, open, paths } = await serve(t)
  const { socket } = await client(t, port)
  socket.write(get('/first', ...numbered(40, 'now/x')))
  await until('all wait', 5000, () => turns.waiting === 40)
  socket.write(get(...numbered(40, 'now/y')))
  must(open.get('/first')).end()
  await until('all', 5000, () => paths.length === 81)
  t.equal(turns.waiting, 0)
})

t.test('what waits is bounded, and a closed connection leaves nothing behind', async (t) => {
  const { port, turns, open } = await serve(t, 100)
  const first = await client(t, port)
  const second = await client(t, port)
  first.socket.write(get('/first', ...numbered(10, 'now/x')))
  await until('the first waits', 5000, () => turns.waiting === 10)
  second.socket.write(get('/second', ...numbered(100, 'now/x')))
  await once(second.socket, 'close')
  await until('only the first waits', 5000, () => turns.waiting === 10)
  t.notOk(first.socket.destroyed)
  first.socket.destroy()
  await until('nobody waits', 5000, () => turns.waiting === 0)
  t.equal(open.size, 2)
})

t.test('a body that comes late is read, also behind another request', async (t) => {
  const bodies: string[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      bodies.push(text)
      response.end()
    })
  })
  new RequestTurns({ onOverflow: (socket) => socket.destroy() }).order(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { socket } = await client(t, (server.address() as AddressInfo).port)
  t.teardown(() => server.close())
  const put = 'PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n'
  socket.write(`${put}12345`.repeat(40))
  socket.write(put)
  await until('the first forty', 5000, () => bodies.length === 40)
  socket.write('abcde')
  await until('the last', 5000, () => bodies.length === 41)
  t.equal(bodies.at(-1), 'abcde')
})

import { once } from 'node:events'
import { connect } from 'node:tls'
import t from 'tap'
import type { Test } from 'tap'
import { closingWith, listenHttps } from '../../src/api/https-listener.ts'
import { must } from '../../src/base/assert.ts'
import { authority, leaf } from '../helpers/certificates.ts'
import { openGate } from '../helpers/open-gate.ts'
import { TestApi } from './support.ts'

const ca = authority()

/** Whether a second connection continues the TLS session of the first. */
async function isResumed(t: Test, clientCa: string | undefined, maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  const { app } = new TestApi(t)
  const { endpoints } = await listenHttps(app, {
    addresses: ['127.0.0.1'],
    port: 0,
    gate: openGate(),
    headerTimeoutMs: 5000,
    tls: { ...leaf(ca), ca: clientCa },
    handshakeTimeoutMs: 5000,
    onFault: () => {},
    closing: closingWith(app),
  })
  const { port } = must(endpoints[0])
  const own = leaf(ca, { role: 'client' })
  const ask = async (session?: Buffer) => {
    let found: Buffer | undefined
    const to = { host: '127.0.0.1', port, servername: 'server.dc1.consul' }
    const socket = connect({ ...to, ...own, ca: ca.cert, maxVersion, session })
    socket.on('session', (ticket: Buffer) => (found = ticket))
    socket.write('GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    socket.resume()
    await once(socket, 'secureConnect')
    const isReused = socket.isSessionReused()
    await once(socket, 'close')
    return { session: found, isReused }
  }
  const { session } = await ask()
  return (await ask(session)).isReused
}

t.test('where clients need a certificate, each connection has it verified', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    t.notOk(await isResumed(t, ca.cert, version), version)
    t.ok(await isResumed(t, undefined, version), `${version}: others continue a session`)
  }
})

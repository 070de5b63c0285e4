import { EventEmitter, once } from 'node:events'
import { request as send } from 'node:http'
import { request as sendTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { endpoint } from '../../src/api/context.ts'
import { endpoints } from '../../src/api/endpoints/families.ts'
import { closingWith, listenHttps } from '../../src/api/https-listener.ts'
import { must } from '../../src/base/assert.ts'
import { isChange, methodsOf } from '../../src/http/endpoint.ts'
import type { AuditedRequest } from '../../src/ports/audit.ts'
import { authority, leaf } from '../helpers/certificates.ts'
import { openGate } from '../helpers/open-gate.ts'
import { TestApi } from './support.ts'

const ca = authority()

/** Opens a port with TLS, or one without TLS at which nobody has read the addresses of the sockets. */
async function portOf({ app }: TestApi, isTls: boolean): Promise<number> {
  if (!isTls) {
    await app.listen({ host: '127.0.0.1', port: 0 })
    return (app.server.address() as AddressInfo).port
  }
  const { endpoints: opened } = await listenHttps(app, {
    addresses: ['127.0.0.1'],
    port: 0,
    gate: openGate(),
    headerTimeoutMs: 5000,
    tls: { ...leaf(ca), ca: undefined },
    handshakeTimeoutMs: 5000,
    onFault: () => {},
    closing: closingWith(app),
  })
  return must(opened[0]).port
}

/** What is recorded of an operation whose client hangs up before the answer. */
async function recordedOf(t: Test, isTls: boolean): Promise<readonly AuditedRequest[]> {
  const events = new EventEmitter()
  const recorded: AuditedRequest[] = []
  const [began, ended, written] = [
    once(events, 'begin'),
    once(events, 'end'),
    once(events, 'record'),
  ]
  const slow = endpoint({
    method: 'PUT',
    path: '/v1/test/slow',
    permission: { none: 'for this test' },
    summary: 'A test',
    audited: {},
    handle: async (_context, _request, reply) => {
      events.emit('begin')
      await ended
      return reply.code(500).send('it failed')
    },
  })
  const audit = {
    refusal: () => undefined,
    leaveOut: () => {},
    record: (request: AuditedRequest) => {
      recorded.push(request)
      events.emit('record')
    },
  }
  const api = new TestApi(t, { audit, endpoints: [slow] })
  const to = { host: '127.0.0.1', port: await portOf(api, isTls), path: '/v1/test/slow' }
  const sent = isTls
    ? sendTls({ ...to, method: 'PUT', ca: ca.cert, servername: 'server.dc1.consul' })
    : send({ ...to, method: 'PUT' })
  sent.on('error', () => {})
  sent.end()
  await began
  sent.destroy()
  await written
  events.emit('end')
  return recorded
}

t.test('an operation whose client hangs up is not recorded as done', async (t) => {
  for (const isTls of [false, true]) {
    const recorded = await recordedOf(t, isTls)
    t.equal(recorded.length, 1)
    const { operation, address, outcome, status } = must(recorded[0])
    t.strictSame(
      [operation, address, outcome, status],
      ['put_test_slow', '127.0.0.1', 'unknown', undefined],
    )
  }
})

t.test('whatever changes something is a command of the log, or recorded for itself', (t) => {
  const others = endpoints
    .filter((row) => row.audited === undefined)
    .filter((row) => methodsOf(row).some((method) => isChange(row, method)))
    .map(({ path }) => path)
  const commands =
    /^\/v1\/(?:acl|catalog|connect\/intentions|event|kv|query|session|txn)\b|^\/v1\/agent\/(?:service|check)\/(?:de)?register\b/
  t.strictSame(
    others.filter((path) => !commands.test(path)),
    [],
  )
  t.end()
})

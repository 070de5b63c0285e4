import { connect } from 'node:net'
import t from 'tap'
import { createHttpApi } from '../../src/api/http-api.ts'
import { silentLogger } from '../../src/base/log.ts'
import { listenHttp } from '../../src/api/listeners.ts'
import { openGate } from '../helpers/open-gate.ts'
import { TestBackend } from '../helpers/test-backend.ts'

const stallMs = 400

t.test(
  'a client that does not read its answer is cut off, one that waits for it is not',
  async (t) => {
    const backend = new TestBackend(t.testdir())
    const api = createHttpApi(backend, silentLogger)
    api.get('/big', (_request, reply) => reply.send(Buffer.alloc(64 * 1024 * 1024)))
    const gate = openGate()
    t.teardown(async () => {
      await api.close()
      await backend.close()
    })
    const addresses = ['127.0.0.1', '127.0.0.2']
    const options = { addresses, port: 0, gate, headerTimeoutMs: -1000, stallMs }
    const endpoints = await listenHttp(api, options)

    const open = (at: number, path: string) => {
      const { address = '', port = 0 } = endpoints[at] ?? {}
      const socket = connect({ host: address, port })
      socket.on('error', () => {})
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      return socket
    }
    const waiting = open(0, '/v1/catalog/services?index=1&wait=60s')
    for (const at of [0, 1]) {
      const deaf = open(at, '/big')
      deaf.pause()
      // It reads nothing, so that it does not hear of the end, either: the agent counts it.
      const before = gate.timedOut
      while (gate.timedOut === before) await new Promise((resolve) => setTimeout(resolve, 20))
      deaf.destroy()
    }
    t.equal(gate.timedOut, 2)

    t.equal(backend.waiting, 1, 'the blocking query still waits')
    backend.apply({ kind: 'deregister', nodeName: 'nobody' })
    t.equal(waiting.destroyed, false)
    waiting.destroy()
  },
)

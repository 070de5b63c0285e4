import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { errorTable } from '../../src/base/errors.ts'
import { TestApi } from '../api/support.ts'

const malformed: Readonly<Record<string, readonly [sent: string | Buffer, code: string]>> = {
  'a line that is no request': ['hello\r\n\r\n', 'malformed-http'],
  'a TLS handshake': [Buffer.from('1603010200010001fc0303', 'hex'), 'malformed-http'],
  'two lengths of a body': [
    'PUT /v1/kv/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na',
    'malformed-http',
  ],
  'a head of 300 KB': [
    `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'a'.repeat(300_000)}\r\n\r\n`,
    'headers-too-large',
  ],
}

for (const [name, [sent, code]] of Object.entries(malformed)) {
  t.test(`${name} is answered with a row of the error table, as text`, async (t) => {
    const api = new TestApi(t)
    await api.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = api.app.server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1' })
    // It is closed while the rest of what was sent is under way.
    socket.on('error', () => {})
    let said = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
    socket.write(sent)
    await once(socket, 'close')
    const row = errorTable[code as 'malformed-http' | 'headers-too-large']
    const [head = '', body] = said.split('\r\n\r\n')
    t.match(head, new RegExp(`^HTTP/1.1 ${row.http} `))
    t.match(head, 'Content-Type: text/plain; charset=utf-8')
    t.equal(body, row.text.replace('{max}', '262144'))
  })
}

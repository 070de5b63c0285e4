import { once } from 'node:events'
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import t from 'tap'
import type { Test } from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import type { Tokens } from '../../../src/ports/tokens.ts'
import { aclFamily } from '../../../src/state/acl/family.ts'
import { TokenBook } from '../../../src/tokens/token-book.ts'
import { aclId, policyDefinition, secretHash, tokenDefinition } from '../../helpers/acl.ts'
import { serviceDefinition } from '../../helpers/catalog.ts'
import { TestApi } from '../support.ts'

// Streams end with their tokens.

const rules =
  'agent_prefix "" { policy = "read" } node_prefix "" { policy = "read" } service_prefix "" { policy = "read" } key_prefix "" { policy = "read" } event_prefix "" { policy = "read" } operator = "read"'

/** The API with tokens of the state, and a clock that runs and can be put forward. */
class Rig {
  readonly api: TestApi
  readonly book: TokenBook
  skippedMs = 0
  address = ''

  private constructor(t: Test) {
    const bookOf = (): TokenBook => this.book
    const tokens: Tokens = {
      isEnabled: true,
      defaultPolicy: 'deny',
      requester: (secret) => bookOf().requester(secret),
      isSecret: (text) => bookOf().isSecret(text),
      onChange: (listener) => bookOf().onChange(listener),
    }
    this.api = new TestApi(t, { tokens })
    const { backend } = this.api
    this.book = new TokenBook(
      { isEnabled: true, defaultPolicy: 'deny', defaultSecret: undefined },
      {
        state: backend.of(aclFamily),
        datacenter: 'dc1',
        nodeName: 'n1',
        clock: { wallMs: () => Date.now() + this.skippedMs },
        logger: silentLogger,
      },
    )
    t.teardown(() => this.book.stop())
    const policy = policyDefinition('reader', { rules })
    backend.apply({ kind: 'acl-policy-put', mode: 'create', id: aclId(1), policy })
  }

  static async open(t: Test): Promise<Rig> {
    const rig = new Rig(t)
    rig.address = await rig.api.app.listen({ host: '127.0.0.1', port: 0 })
    return rig
  }

  /** Makes the token whose secret is `secret-NUMBER`. */
  token(number: number, expirationTimeMs = 0): void {
    const token = tokenDefinition({ policies: [aclId(1)], expirationTimeMs })
    const hash = secretHash(`secret-${number}`)
    const command = { accessorId: aclId(number), secretHash: hash, token } as const
    this.api.backend.apply({ kind: 'acl-token-put', mode: 'create', ...command })
  }

  delete(number: number): void {
    this.api.backend.apply({ kind: 'acl-token-delete', accessorId: aclId(number) })
  }

  /** A stream that has begun; `ended` resolves when the server has ended it. */
  async stream(t: Test, path: string, number: number) {
    const headers = { 'x-consul-token': `secret-${number}` }
    const asked = get(`${this.address}/v1/${path}`, { headers })
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    t.teardown(() => response.destroy())
    t.equal(response.statusCode, 200, path)
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    return { text: () => text, ended: once(response, 'end') }
  }
}

const paths = [
  'watch/services',
  'watch/nodes',
  'watch/keyprefix/',
  'watch/event',
  'agent/monitor?loglevel=debug',
  'agent/metrics/stream',
]

t.test('streams of events and of lines end when their token is deleted', async (t) => {
  const rig = await Rig.open(t)
  rig.token(2)
  rig.token(3)
  const streams = await Promise.all(paths.map((path) => rig.stream(t, path, 2)))
  const other = await rig.stream(t, 'watch/services', 3)
  rig.delete(2)
  await Promise.all(streams.map(({ ended }) => ended))
  const before = other.text().length
  const grown = new Promise<void>((resolve) => {
    const look = (): void => (other.text().length > before ? resolve() : void setImmediate(look))
    look()
  })
  rig.api.backend.apply({
    kind: 'register',
    nodeName: 'n1',
    service: serviceDefinition('late'),
    checks: [],
    replaceChecks: false,
  })
  await grown
  t.match(other.text(), '"late"', 'the stream of another token goes on')
  for (const { text } of streams) t.notMatch(text(), 'late')
})

t.test('streams of events and of lines end when their token expires', async (t) => {
  const rig = await Rig.open(t)
  const expiresMs = Date.now() + 3_600_000
  rig.token(2, expiresMs)
  const streams = await Promise.all(paths.map((path) => rig.stream(t, path, 2)))
  // The clock is put forward to the last moment of the token, and somebody changes another one.
  rig.skippedMs = expiresMs - Date.now() - 50
  rig.token(3)
  await Promise.all(streams.map(({ ended }) => ended))
  t.ok(Date.now() + rig.skippedMs >= expiresMs, 'not before')
})

t.test('a token that is gone gets no event, even if nobody has been told yet', async (t) => {
  const rig = await Rig.open(t)
  rig.token(2)
  const stream = await rig.stream(t, 'watch/services', 2)
  // Both in one turn: the feed may be woken first.
  rig.delete(2)
  rig.api.backend.apply({
    kind: 'register',
    nodeName: 'n1',
    service: serviceDefinition('late'),
    checks: [],
    replaceChecks: false,
  })
  await stream.ended
  t.notMatch(stream.text(), 'late')
})

t.test('a stream ends when its token loses a right, and can be opened again', async (t) => {
  const rig = await Rig.open(t)
  rig.token(2)
  const stream = await rig.stream(t, 'watch/services', 2)
  const policy = policyDefinition('reader', { rules: 'node_prefix "" { policy = "read" }' })
  rig.api.backend.apply({ kind: 'acl-policy-put', mode: 'update', id: aclId(1), policy })
  await stream.ended
  const again = await rig.stream(t, 'watch/services', 2)
  t.notMatch(again.text(), 'consul')
})

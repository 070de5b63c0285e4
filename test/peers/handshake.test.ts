import { randomBytes } from 'node:crypto'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { buildFrame, frameHeaderBytes, frameTypes } from '../../src/peers/frame.ts'
import { PeerHandshake } from '../../src/peers/handshake.ts'
import { decodeHello, encodeHello } from '../../src/peers/hello.ts'
import { newChallenge } from '../../src/peers/secret.ts'
import type { HandshakeStep } from '../../src/peers/handshake.ts'
import type { Hello } from '../../src/peers/hello.ts'
import type { PeerSecret } from '../../src/peers/secret.ts'

const [k1, k2, k3] = [randomBytes(32), randomBytes(32), randomBytes(32)]
const secret = (...keys: Buffer[]): PeerSecret => ({ keys, isRequired: true })
const offered = (...keys: Buffer[]): PeerSecret => ({ keys, isRequired: false })

interface Side {
  readonly id: string
  readonly secret?: PeerSecret | undefined
  readonly hello?: Partial<Hello>
}

/** One end; what it sends is kept. */
class End {
  readonly sent: Buffer[] = []
  readonly #handshake: PeerHandshake
  last: HandshakeStep = { send: [] }

  constructor(role: 'dial' | 'accept', { id, secret: known, hello }: Side) {
    this.#handshake = new PeerHandshake({
      role,
      address: `at-${id}`,
      secret: known,
      hello: (purpose) => ({
        protocolMin: 1,
        protocolMax: 1,
        purpose: purpose ?? 'messages',
        epoch: 3,
        features: 0,
        instance: id.length,
        clusterId: 'c1',
        id,
        name: `name-${id}`,
        address: `${id}:8300`,
        to: undefined,
        challenge: known === undefined ? undefined : newChallenge(known),
        ...hello,
      }),
      known: () => ({ certificate: undefined, name: undefined }),
    })
    if (role === 'dial') this.sent.push(this.#handshake.greet())
  }

  take(frame: Buffer): readonly Buffer[] {
    this.last = this.#handshake.take(frame.readUInt8(4), frame.subarray(frameHeaderBytes))
    this.sent.push(...this.last.send)
    return this.last.send
  }

  get verdict(): object {
    const { refusal, opened } = this.last
    if (refusal !== undefined) return refusal
    if (opened === undefined) return { waits: true }
    const { clusterId, epoch, id } = opened.peer
    const { isSameCluster } = opened.agreement
    return { id, clusterId, epoch, isSameCluster, isProven: opened.isProven }
  }
}

/** Lets both talk until neither says more, or one refuses. */
function talk(dials: Side, accepts: Side): { dial: End; accept: End } {
  const dial = new End('dial', dials)
  const accept = new End('accept', accepts)
  let [to, from] = [accept, dial]
  for (let frames: readonly Buffer[] = dial.sent; frames.length > 0; [to, from] = [from, to]) {
    frames = frames.flatMap((frame) => (to.last.refusal === undefined ? to.take(frame) : []))
  }
  return { dial, accept }
}

t.test('who opens for whom, and how both sides name the cause when they do not', async (t) => {
  const open = (id: string, isProven: boolean, isSameCluster = true) => ({
    id,
    isProven,
    isSameCluster,
  })
  const lacks = {
    code: 'secret',
    text: /name-. \(., .*has no cluster secret, but this server has one/,
  }
  const wants = { code: 'secret', text: /has a cluster secret, but this server has none/ }
  const differs = { code: 'secret', text: /has a different cluster secret/ }
  type Known = PeerSecret | undefined
  const cases: readonly (readonly [string, Known, Known, (object | undefined)?, object?])[] = [
    ['neither has a secret', undefined, undefined, open('b', false), open('a', false)],
    ['both have the same', secret(k1), secret(k1), open('b', true), open('a', true)],
    ['the dialling one has none', undefined, secret(k1), undefined, lacks],
    ['the accepting one has none', secret(k1), undefined, undefined, wants],
    ['each has its own', secret(k1), secret(k2), { waits: true }, differs],
    ['the new key is second everywhere', secret(k1, k2), secret(k1, k2), open('b', true)],
    ['and has been made first on one', secret(k2, k1), secret(k1, k2), open('b', true)],
    ['the old key is gone on one', secret(k2), secret(k2, k1), open('b', true), open('a', true)],
    ['on the other one', secret(k2, k1), secret(k2), open('b', true), open('a', true)],
    ['one has not got the new key yet', secret(k1, k2), secret(k1), open('b', true)],
    ['none in common', secret(k1, k2), secret(k3), { waits: true }, differs],
    ['one begins to be introduced', offered(k1), undefined, open('b', false), open('a', false)],
    ['and is dialled', undefined, offered(k1), open('b', false), open('a', false)],
    ['two that offer it prove it', offered(k1), offered(k1), open('b', true), open('a', true)],
    ['it is demanded on one', offered(k1), secret(k1), open('b', true), open('a', true)],
    ['offered with another key', offered(k2), secret(k1), { waits: true }, differs],
    ['it is demanded, and one was forgotten', undefined, secret(k1), undefined, lacks],
  ]
  for (const [what, a, b, atDial, atAccept] of cases) {
    const { dial, accept } = talk({ id: 'a', secret: a }, { id: 'b', secret: b })
    if (atDial === undefined) t.equal(dial.last.opened, undefined, `${what}: dial`)
    else t.match(dial.verdict, atDial, `${what}: dial`)
    if (atAccept !== undefined) t.match(accept.verdict, atAccept, `${what}: accept`)
  }
})

t.test(
  'of which cluster a server is, only those are told who have proven the secret',
  async (t) => {
    const hidden = { hello: { clusterId: 'the-cluster', epoch: 9 } }
    const { dial, accept } = talk(
      { id: 'a', secret: secret(k1), ...hidden },
      { id: 'b', secret: secret(k1), ...hidden },
    )
    const told = { clusterId: 'the-cluster', epoch: 9, isSameCluster: true }
    t.match([dial.verdict, accept.verdict], [told, told])
    const names = (frame: Buffer | undefined): boolean => must(frame).includes('the-cluster')
    t.strictSame(dial.sent.map(names), [false, false, true], 'greeting, proof, and its own at last')
    t.strictSame(accept.sent.map(names), [false, true])
    const stranger = talk(
      { id: 'a', secret: secret(k2) },
      { id: 'b', secret: secret(k1), ...hidden },
    )
    t.strictSame(stranger.accept.sent.map(names), [false], 'a stranger gets a greeting')
    const asked = new End('accept', { id: 'b', secret: secret(k1), ...hidden })
    asked.take(must(new End('dial', { id: 'a' }).sent[0]))
    t.strictSame(asked.sent, [], 'and one without a secret gets nothing')
  },
)

t.test('servers of two clusters, or epochs, with one secret part in words', async (t) => {
  const cases: readonly [Partial<Hello>, object][] = [
    [{ clusterId: 'c2' }, { code: 'wrong-cluster', text: /cluster c[12], this server to c[12]/ }],
    [{ epoch: 4 }, { code: 'wrong-epoch', text: /epoch [34] of the cluster/ }],
    [{ to: 'z' }, { code: 'unexpected-id' }],
    [{ id: 'b', instance: 99 }, { code: 'same-id' }],
    [{ protocolMin: 2, protocolMax: 3 }, { code: 'protocol' }],
    [{ purpose: 'snapshot', clusterId: undefined }, { code: 'wrong-cluster' }],
  ]
  for (const [hello, refusal] of cases) {
    const { dial, accept } = talk(
      { id: 'a', secret: secret(k1), hello },
      { id: 'b', secret: secret(k1) },
    )
    t.match(accept.verdict, refusal)
    t.equal(dial.last.opened, undefined)
  }
  const { dial } = talk(
    { id: 'a', secret: secret(k1), hello: { clusterId: undefined } },
    { id: 'b', secret: secret(k1) },
  )
  t.match(dial.verdict, { clusterId: 'c1', isSameCluster: false, isProven: true }, 'one that joins')
})

/** The side that accepts, greeted by `hello`, with the key k1. */
function greeted(hello: Buffer): End {
  const end = new End('accept', { id: 'b', secret: secret(k1) })
  end.take(hello)
  return end
}

t.test('nothing that was heard before, or elsewhere, is a proof', async (t) => {
  const { dial, accept } = talk({ id: 'a', secret: secret(k1) }, { id: 'b', secret: secret(k1) })
  const [hello, proof, confirm] = dial.sent
  const replayed = greeted(must(hello))
  replayed.take(must(proof))
  t.match(replayed.verdict, { code: 'secret' }, 'a whole conversation, replayed')

  const late = greeted(must(hello))
  late.take(must(confirm))
  t.match(late.verdict, { code: 'secret' }, 'the third frame in place of the second')

  const own = greeted(must(hello))
  own.take(must(accept.sent[1]))
  t.match(own.verdict, { code: 'secret' }, 'the proof of the other side, reflected')

  const mirror = new End('dial', { id: 'a', secret: secret(k1) })
  mirror.take(must(mirror.sent[0]))
  t.match(mirror.verdict, { code: 'self' }, 'its own greeting, reflected')
  const changed = { ...must(decodeHello(must(mirror.sent[0]).subarray(8))), id: 'b', instance: 9 }
  mirror.take(encodeHello(changed))
  const [, mirrored] = mirror.sent
  mirror.take(must(mirrored))
  t.match(mirror.verdict, { code: 'secret' }, 'its own nonce and proof, reflected')

  // Two conversations with one server: what it proves in one must be worth nothing in the other.
  const first = new End('dial', { id: 'b', secret: secret(k1) })
  const second = greeted(must(new End('dial', { id: 'a', secret: secret(k2) }).sent[0]))
  const bait = must(decodeHello(must(second.sent[0]).subarray(8)))
  first.take(encodeHello({ ...bait, id: 'a', instance: 5 }))
  second.take(must(first.sent[1]))
  t.match(second.verdict, { code: 'secret' }, 'a proof of another conversation')
})

t.test('a greeting that is changed on its way is found out', async (t) => {
  const dial = new End('dial', { id: 'a', secret: secret(k1) })
  const hello = must(decodeHello(must(dial.sent[0]).subarray(8)))
  const cases: readonly Partial<Hello>[] = [
    { id: 'x' },
    { address: '6.6.6.6:8300' },
    { features: 1 },
    { to: 'b' },
  ]
  for (const change of cases) {
    const accept = greeted(encodeHello({ ...hello, ...change }))
    const own = new End('dial', { id: 'a', secret: secret(k1), hello })
    for (const frame of own.take(must(accept.sent[0]))) accept.take(frame)
    t.match(accept.verdict, { code: 'secret' }, JSON.stringify(change))
  }
  // Without its challenge, as if it had no secret.
  t.match(greeted(encodeHello({ ...hello, challenge: undefined })).verdict, {
    code: 'secret',
    text: /has no cluster secret/,
  })
})

t.test('what is cut short, too long or no proof opens nothing', async (t) => {
  const good = (): { accept: End; proof: Buffer } => {
    const dial = new End('dial', { id: 'a', secret: secret(k1) })
    const accept = greeted(must(dial.sent[0]))
    const [proof] = dial.take(must(accept.sent[0]))
    return { accept, proof: must(proof) }
  }
  const frame = (body: Buffer): Buffer => buildFrame(frameTypes.proof, 1, [body])
  const cases: readonly [string, (body: Buffer) => Buffer, string][] = [
    ['a byte short', (body) => frame(body.subarray(0, -1)), 'bad-greeting'],
    ['empty', () => frame(Buffer.alloc(0)), 'bad-greeting'],
    ['no tag', () => frame(Buffer.from([0])), 'bad-greeting'],
    [
      'more tags than there are',
      (body) => frame(Buffer.concat([Buffer.from([2]), body])),
      'secret',
    ],
    [
      'five tags',
      () => frame(Buffer.concat([Buffer.from([5]), Buffer.alloc(160)])),
      'bad-greeting',
    ],
    ['zeros', () => frame(Buffer.concat([Buffer.from([1]), Buffer.alloc(32)])), 'secret'],
    [
      'a mark that was not proven',
      (body) => frame(Buffer.concat([body, Buffer.alloc(10)])),
      'secret',
    ],
    ['a request', () => buildFrame(frameTypes.request, 1, [Buffer.alloc(8)]), 'bad-greeting'],
    ['a Raft message', () => buildFrame(38, 1, [Buffer.alloc(28)]), 'bad-greeting'],
    [
      'a flipped bit',
      (body) => frame(Buffer.from(body).fill(body.readUInt8(9) ^ 1, 9, 10)),
      'secret',
    ],
  ]
  for (const [what, spoil, code] of cases) {
    const { accept, proof } = good()
    const spoilt = spoil(proof.subarray(frameHeaderBytes))
    const isTruncatedInto = what === 'more tags than there are'
    accept.take(spoilt)
    t.match(accept.verdict, { code: isTruncatedInto ? /secret|bad-greeting/ : code }, what)
    t.equal(accept.sent.length, 1, `${what}: nothing is said but the greeting`)
  }
  const { accept, proof } = good()
  accept.take(proof)
  t.match(accept.verdict, { waits: true }, 'the right one is answered')
  t.equal(accept.sent.length, 2)
})

t.test(
  'a greeting holds what a later release puts behind it, and a cut one has no challenge',
  async (t) => {
    const hello = must(new End('dial', { id: 'a', secret: secret(k1) }).sent[0]).subarray(8)
    const { challenge } = must(decodeHello(hello))
    t.equal(challenge?.nonce.length, 32)
    t.ok(challenge?.isRequired)
    const unknown = Buffer.from([9, 0, 2, 1, 1])
    t.strictSame(decodeHello(Buffer.concat([hello, unknown]))?.challenge, challenge)
    const plain = encodeHello({ ...must(decodeHello(hello)), challenge: undefined }).subarray(8)
    const first = Buffer.concat([plain, unknown, hello.subarray(plain.length)])
    t.strictSame(decodeHello(first)?.challenge, challenge, 'whatever stands before it')
    for (let length = plain.length; length < hello.length; length++) {
      t.equal(must(decodeHello(hello.subarray(0, length))).challenge, undefined)
    }
  },
)

import t from 'tap'
import { QueryBatch, readBatch } from '../../../src/resolver/recursion/query-batch.ts'
import type { ReplyTo, ToRecursor } from '../../../src/resolver/recursion/messages.ts'

/** Octets that differ from place to place. */
function octets(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (first + at) & 0xff)
}

function queryOf(n: number): ToRecursor['query'] {
  const packet = octets(17 + (n % 50), n)
  const alias = { own: octets(33 + (n % 7), n + 1), question: octets(11 + (n % 3), n + 2) }
  const cookie = n % 4 === 1 ? octets(28, n) : undefined
  return {
    packet,
    questionEnd: 12 + n,
    variant: n * 65_537,
    alias: n % 2 ? alias : undefined,
    cookie,
    resume: n % 5 === 2 ? { server: n % 3, isCaseLost: n % 2 === 0 } : undefined,
  }
}

function replyTo(n: number, packet: Uint8Array): ReplyTo {
  if (n % 3 === 0) return { kind: 'nobody' }
  if (n % 3 === 1) return { kind: 'thread', id: n }
  const bytes = Uint8Array.from([...octets(72, n), ...packet])
  const message = { bytes, nameLength: 16, controlLength: n % 41 }
  return { kind: 'socket', fd: n, message, receivedMs: 1e9 + n / 3 }
}

t.test('queries come out of a batch as they went in, also when there are many', async (t) => {
  const batch = new QueryBatch()
  for (const count of [1, 6, 1000, 2]) {
    const wanted = Array.from({ length: count }, (_, n): ToRecursor => {
      const query = queryOf(n)
      return { query, to: replyTo(n, query.packet) }
    })
    for (const { query, to } of wanted) batch.add(query, to)
    t.equal(batch.count, count)
    // As the other thread gets them.
    t.same(readBatch(structuredClone(batch.take())), wanted)
    t.equal(batch.count, 0)
  }
  t.same(readBatch(batch.take()), [])
})

import fc from 'fast-check'
import t from 'tap'
import { assert } from '../../src/base/assert.ts'
import { PackedAnswer } from '../../src/dns/packed-answer.ts'
import { QueryScan } from '../../src/dns/query-scan.ts'
import { WireCache } from '../../src/dns/wire-cache.ts'

const asker = { client: '127.0.0.1' }

/** A query for `s<n>.consul`, type A. */
function queryFor(n: number): Uint8Array {
  const label = `s${n}`
  const text = `\0\0\0\0\0\x01\0\0\0\0\0\0${String.fromCharCode(label.length)}${label}\x06consul\0\0\x01\0\x01`
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

/** An answer to it: the question, and octets that tell one answer from another. */
function answerTo(query: Uint8Array, length: number, filler: number): PackedAnswer {
  const message = new Uint8Array(query.length + length).fill(filler)
  message.set(query)
  return PackedAnswer.of(message, [query.length], {
    questionEnd: query.length,
    rcode: 0,
    truncated: false,
    serialAt: 0,
    policy: 'turn',
    before: 0,
    window: 0,
    room: 512,
  })
}

/** A cache that is asked for names by number. */
class Rig {
  readonly cache: WireCache
  readonly #scan = new QueryScan(7)
  readonly #queries: Uint8Array[] = []

  constructor(bytesMax: number) {
    this.cache = new WireCache({ bytesMax })
  }

  /** The filler of the answer that is found. */
  find(n: number): number | undefined {
    const query = this.#read(n)
    return this.cache.find(this.#scan, query)?.render(query, asker).at(-1)
  }

  put(n: number, length: number, filler: number): void {
    const query = this.#read(n)
    const validity = { generation: 1, mode: 'ready', slots: [n], since: 1 }
    const found = this.cache.find(this.#scan, query)
    const answer = answerTo(query, length, filler)
    if (found === undefined) this.cache.add(this.#scan, answer, validity)
    else this.cache.replace(found, answer, validity)
  }

  /** As a responder asks. Returns whether it was a hit. */
  ask(n: number): boolean {
    if (this.find(n) !== undefined) return true
    this.put(n, 80, 1)
    return false
  }

  #read(n: number): Uint8Array {
    const query = (this.#queries[n] ??= queryFor(n))
    assert(this.#scan.read(query, 'udp', 1232), 'it is an ordinary query')
    return query
  }
}

/** Numbers from 0 to 1, always the same ones (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The n-th name is queried in proportion to 1 / n. */
function zipf(names: number, random: () => number): () => number {
  let sum = 0
  const upTo = Array.from({ length: names }, (_, n) => (sum += 1 / (n + 1)))
  return () => {
    const wanted = random() * sum
    let [low, high] = [0, names - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((upTo[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The least recently used one leaves: what the cache is compared with. */
class Lru {
  readonly #entries = new Set<number>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  ask(n: number): boolean {
    const isHit = this.#entries.delete(n)
    this.#entries.add(n)
    if (this.#entries.size > this.#max)
      for (const oldest of this.#entries) return this.#drop(oldest)
    return isHit
  }

  #drop(n: number): boolean {
    this.#entries.delete(n)
    return false
  }
}

const names = 20_000
const bytesMax = 500_000

/** The share of hits, once the cache is full. */
function hitShare(cache: { ask(n: number): boolean }, next: () => number): number {
  const asked = 150_000
  for (let n = 0; n < asked; n++) cache.ask(next())
  let hits = 0
  for (let n = 0; n < asked; n++) if (cache.ask(next())) hits++
  return hits / asked
}

t.test(
  'it has more hits than LRU if some names are in demand, and as many if none is',
  async (t) => {
    const rig = new Rig(bytesMax)
    const share = hitShare(rig, zipf(names, randomFrom(1)))
    const { size } = rig.cache
    const lru = hitShare(new Lru(size), zipf(names, randomFrom(1)))
    t.comment(`Zipf: ${share.toFixed(3)}, LRU ${lru.toFixed(3)}, ${size} of ${names} names`)
    t.ok(size > 1500, 'the memory is used')
    t.ok(share > lru + 0.03)
    const random = randomFrom(2)
    const even = hitShare(new Rig(bytesMax), () => Math.floor(random() * names))
    t.comment(`uniform: ${even.toFixed(3)}`)
    t.ok(even > (0.9 * size) / names, 'the share of the names that it has room for')
  },
)

t.test('a scan of all names does not remove those in demand', async (t) => {
  const rig = new Rig(bytesMax)
  const next = zipf(names, randomFrom(3))
  for (let n = 0; n < 100_000; n++) rig.ask(next())
  const hot = Array.from({ length: 300 }, (_, n) => n)
  t.ok(hot.filter((n) => rig.ask(n)).length > 295)
  // Each name twice, as for A and AAAA records or by a client that retries.
  for (let n = 0; n < names; n++) for (let time = 0; time < 2; time++) rig.ask(names + n)
  const kept = hot.filter((n) => rig.find(n) !== undefined).length
  t.ok(kept > 290, `${kept} of 300 are still there`)
})

t.test(
  'it never takes more memory than it may, none before it is used, and gives it back',
  async (t) => {
    const rig = new Rig(2 ** 24)
    t.equal(rig.cache.bytes, 0)
    rig.ask(1)
    t.ok(rig.cache.bytes < 140_000, 'one segment')
    for (let n = 0; n < 200_000; n++) {
      rig.ask(n)
      if (n % 1000 === 0) t.ok(rig.cache.bytes <= 2 ** 24, `after ${n} names`)
    }
    t.ok(rig.cache.size > 60_000)
    for (let n = 199_000; n < 200_000; n++) rig.find(n)
    rig.cache.age()
    t.equal(rig.cache.size, 1000)
    t.ok(rig.cache.bytes < 600_000, 'it keeps what was queried')
    t.ok(
      Array.from({ length: 1000 }, (_, n) => rig.find(199_000 + n)).every((found) => found === 1),
    )
    rig.cache.age()
    rig.cache.age()
    t.same([rig.cache.size, rig.cache.bytes], [0, 0])
  },
)

t.test('what it finds is always what was put there last', async () => {
  const step = fc.record({
    kind: fc.constantFrom('put', 'put', 'find', 'find', 'age'),
    name: fc.nat(60),
    length: fc.oneof(fc.nat(200), fc.nat(4000)),
    filler: fc.nat(255),
  })
  const bounds = fc.constantFrom(4000, 20_000, 200_000)
  const property = fc.property(bounds, fc.array(step, { maxLength: 500 }), (max, steps) => {
    const rig = new Rig(max)
    const last = new Map<number, number>()
    for (const { kind, name, length, filler } of steps) {
      if (kind === 'age') rig.cache.age()
      else if (kind === 'put') {
        rig.put(name, length + 1, filler)
        last.set(name, filler)
      } else {
        const found = rig.find(name)
        if (found !== undefined && found !== last.get(name)) return false
      }
      if (rig.cache.bytes > max) return false
    }
    // Entries are in the index once: as many are found as there are.
    const found = [...last.keys()].filter((name) => rig.find(name) !== undefined)
    return found.length === rig.cache.size
  })
  fc.assert(property, { numRuns: 200 })
})

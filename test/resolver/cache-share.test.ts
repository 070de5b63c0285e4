import t from 'tap'
import { cacheShareBytes } from '../../src/resolver/threads/default-threads.ts'

t.test('all threads that answer DNS have an equal part of the memory for caches', async (t) => {
  const cacheBytes = 64_000_000
  t.equal(
    cacheShareBytes({ cacheBytes, threads: 3, udp: 'mmsg' }),
    16_000_000,
    'and the main thread',
  )
  t.equal(cacheShareBytes({ cacheBytes, threads: 3, udp: 'dgram' }), 32_000_000, 'dgram has one')
})

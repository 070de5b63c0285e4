import { availableParallelism } from 'node:os'

/** More do not pay: the kernel's part of a packet grows with the threads that share a port. */
const threadsDefaultMax = 4

/** One core is left to the other threads. */
export function dnsThreadsDefault(): number {
  return Math.max(1, Math.min(availableParallelism() - 1, threadsDefaultMax))
}

interface CacheSettings {
  readonly cacheBytes: number
  readonly threads: number | undefined
  readonly udp: 'auto' | 'mmsg' | 'dgram'
}

/**
 * The part of each thread in the memory of all caches of DNS answers. The main thread has a cache for
 * streams, besides the threads for UDP.
 */
export function cacheShareBytes({ cacheBytes, threads, udp }: CacheSettings): number {
  const udpThreads = udp === 'dgram' ? 1 : (threads ?? dnsThreadsDefault())
  return Math.floor(cacheBytes / (udpThreads + 1))
}

import { availableParallelism } from 'node:os'

/** More do not pay: the kernel's part of a packet grows with the threads that share a port. */
const threadsDefaultMax = 4

/** One core is left to the other threads. */
export function dnsThreadsDefault(): number {
  return Math.max(1, Math.min(availableParallelism() - 1, threadsDefaultMax))
}

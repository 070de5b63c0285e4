import type { Libc } from './libc.ts'

// struct sched_attr of sched_setattr(2): size, policy, flags, nice, priority, runtime, deadline, period.
const attrBytes = 48
const policyAt = 4
const runtimeAt = 24
/** SCHED_OTHER, the policy of ordinary threads. */
const ordinary = 0
const calls = {
  x64: { set: 314, get: 315 },
  arm64: { set: 274, get: 275 },
} as const

/** The shortest that Linux takes. */
export const shortestSliceNs = 100_000n

/**
 * Asks Linux to interrupt other threads when this one wakes. Since 6.12 a thread with a short time slice interrupts
 * those with a longer one, and older releases ignore it. Its share of the processor stays the same. Otherwise a
 * busy thread on the same core may continue for milliseconds.
 */
export function takeShortSlices(libc: Libc): void {
  const attr = scheduling(libc)
  // An operator may have chosen another policy, which is not to be changed.
  if (attr === undefined || attr.readUInt32LE(policyAt) !== ordinary) return
  attr.writeBigUInt64LE(shortestSliceNs, runtimeAt)
  // If a sandbox forbids it, the thread waits for its turn like others.
  libc.syscall?.(callsHere()?.set ?? 0, 0, attr, 0, 0)
}

/** The time slice of this thread in nanoseconds; undefined if the system does not say. */
export function sliceNs(libc: Libc): bigint | undefined {
  return scheduling(libc)?.readBigUInt64LE(runtimeAt)
}

function scheduling(libc: Libc): Buffer | undefined {
  const numbers = callsHere()
  if (numbers === undefined || libc.syscall === undefined) return undefined
  const attr = Buffer.from(new ArrayBuffer(attrBytes))
  attr.writeUInt32LE(attrBytes)
  return libc.syscall(numbers.get, 0, attr, attrBytes, 0) < 0 ? undefined : attr
}

function callsHere(): { readonly set: number; readonly get: number } | undefined {
  const { arch } = process
  return arch === 'x64' || arch === 'arm64' ? calls[arch] : undefined
}

import { loadLibc } from './libc.ts'

// mallopt(3), malloc.h
const thresholdOfMmap = -3
const arenaMax = -8

/** Larger pieces are mapped, and so given back when they are freed. */
const mappedBytes = 128 * 1024
/** Enough for the three threads of a node that allocate often. */
const arenas = 4

/**
 * Bounds what glibc keeps of freed memory: it makes an arena for every thread, of which a process of Node has
 * a dozen, and raises the size from which pieces are mapped to that of the largest piece ever freed. To be
 * called before other threads are started. Returns false without glibc or without koffi; nothing changes then.
 */
export function boundAllocator(): boolean {
  const libc = loadLibc()
  if (libc instanceof Error || libc.mallopt === undefined) return false
  return libc.mallopt(thresholdOfMmap, mappedBytes) === 1 && libc.mallopt(arenaMax, arenas) === 1
}

/** Gives freed pages back to the system, in about a millisecond. Does nothing without glibc or without koffi. */
export function trimAllocator(): void {
  const libc = loadLibc()
  if (!(libc instanceof Error)) libc.malloc_trim?.(0n)
}

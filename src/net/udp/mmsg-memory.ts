// The layout of struct mmsghdr and struct iovec, the same on x86-64 and arm64, and their memory.

export const headerBytes = 64
export const iovBytes = 16

/** Where the fields of a struct mmsghdr begin, in words of four octets. */
export const headerWords = {
  name: 0,
  nameLength: 2,
  iov: 4,
  iovCount: 6,
  control: 8,
  controlLength: 10,
  flags: 12,
  length: 14,
} as const

/** What only C knows the address of, the collector would take. */
const pinned = new Set<ArrayBuffer>()

export function pin(memory: ArrayBuffer): void {
  pinned.add(memory)
}

export function unpin(memory: ArrayBuffer): void {
  pinned.delete(memory)
}

/** Writes an address as the pointer at the word `at`. */
export function pointTo(words: Uint32Array, at: number, address: number): void {
  words[at] = address
  words[at + 1] = address / 0x1_0000_0000
}

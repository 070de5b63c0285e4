const slabBytes = 16_384
let slab = new ArrayBuffer(0)
let end = 0

/**
 * Octets for a short time, all 0. They are a piece of a larger memory, because memory of their own costs more than all
 * that is done with a packet. Copy octets that are kept for long, or they keep the whole memory.
 */
export function pooledOctets(count: number): Uint8Array {
  if (count > slabBytes / 4) return new Uint8Array(count)
  if (end + count > slab.byteLength) {
    slab = new ArrayBuffer(slabBytes)
    end = 0
  }
  const octets = new Uint8Array(slab, end, count)
  // Words stay aligned.
  end += (count + 7) & ~7
  return octets
}

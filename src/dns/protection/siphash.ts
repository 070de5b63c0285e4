/** The state of SipHash: v0 to v3, each as its lower and its upper half. */
const state = new Int32Array(8)
const constants = [
  0x7073_6575, 0x736f_6d65, 0x6e64_6f6d, 0x646f_7261, 0x6e65_7261, 0x6c79_6765, 0x7974_6573,
  0x7465_6462,
] as const

/**
 * SipHash-2-4 of `message` (Aumasson and Bernstein, 2012), with a key of 16 octets, as 8 octets. A 64-bit
 * word is two halves, because BigInt is too slow for packets.
 */
export function sipHash(key: Uint8Array, message: Uint8Array): Uint8Array {
  const keys = new DataView(key.buffer, key.byteOffset, 16)
  for (const [at, constant] of constants.entries()) {
    // The first two words begin with the key, and so do the last two.
    state[at] = keys.getInt32((at & 3) * 4, true) ^ constant
  }
  const blocks = new DataView(padded(message).buffer)
  for (let at = 0; at < blocks.byteLength; at += 8) {
    absorb(blocks.getInt32(at, true), blocks.getInt32(at + 4, true))
  }
  state[4] = (state[4] ?? 0) ^ 0xff
  rounds(4)
  const out = new Uint8Array(8)
  const view = new DataView(out.buffer)
  const [v0 = 0, w0 = 0, v1 = 0, w1 = 0, v2 = 0, w2 = 0, v3 = 0, w3 = 0] = state
  view.setInt32(0, v0 ^ v1 ^ v2 ^ v3, true)
  view.setInt32(4, w0 ^ w1 ^ w2 ^ w3, true)
  return out
}

/** Whole words of 8 octets: the last ends with the length of the message. */
function padded(message: Uint8Array): Uint8Array {
  const out = new Uint8Array((message.length & ~7) + 8)
  out.set(message)
  out[out.length - 1] = message.length & 0xff
  return out
}

function absorb(low: number, high: number): void {
  state[6] = (state[6] ?? 0) ^ low
  state[7] = (state[7] ?? 0) ^ high
  rounds(2)
  state[0] = (state[0] ?? 0) ^ low
  state[1] = (state[1] ?? 0) ^ high
}

function rounds(count: number): void {
  for (let round = 0; round < count; round++) {
    add(0, 2)
    rotateInto(2, 13, 0)
    swapHalves(0)
    add(4, 6)
    rotateInto(6, 16, 4)
    add(0, 6)
    rotateInto(6, 21, 0)
    add(4, 2)
    rotateInto(2, 17, 4)
    swapHalves(4)
  }
}

/** `a += b`, each the place of a 64-bit word. */
function add(a: number, b: number): void {
  const low = ((state[a] ?? 0) >>> 0) + ((state[b] ?? 0) >>> 0)
  state[a + 1] = (state[a + 1] ?? 0) + (state[b + 1] ?? 0) + (low > 0xffff_ffff ? 1 : 0)
  state[a] = low
}

/** Rotates the word `a` by less than 32 bits to the left, and combines it with the word `b`. */
function rotateInto(a: number, bits: number, b: number): void {
  const [low, high] = [state[a] ?? 0, state[a + 1] ?? 0]
  state[a] = ((low << bits) | (high >>> (32 - bits))) ^ (state[b] ?? 0)
  state[a + 1] = ((high << bits) | (low >>> (32 - bits))) ^ (state[b + 1] ?? 0)
}

/** A rotation by 32 bits. */
function swapHalves(a: number): void {
  const low = state[a] ?? 0
  state[a] = state[a + 1] ?? 0
  state[a + 1] = low
}

/** A source of uniform numbers in [0, 1), as an argument, so that tests and simulations replay. */
export type Random = () => number

/** A seeded {@link Random} (xoshiro128**, seeded by splitmix32). Same seed, same sequence. */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0
  const next32 = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  let [a, b, c, d] = [next32(), next32(), next32(), next32()]
  return () => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotl(d, 11)
    return result / 0x1_0000_0000
  }
}

/** A whole number in [0, bound). */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(random() * bound)
}

function rotl(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k))
}

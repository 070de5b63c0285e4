/** A piece of memory, in octets and in words of 32 bits. */
export interface Memory {
  readonly bytes: Uint8Array
  readonly words: Int32Array
}

/** Memory to write to. Without words, it is written octet by octet. */
export interface Target {
  readonly bytes: Uint8Array
  readonly words: Int32Array | undefined
}

/** For so many octets a loop costs less than creating a view for set(). */
const loopOctetsMax = 200
const loopWordsMax = loopOctetsMax * 4

/**
 * Copies [from, to) and returns where the next octet goes. If both places have the same position in a word,
 * it copies words: up to 3 octets behind are then overwritten, too.
 */
export function copyOctets(
  source: Memory,
  from: number,
  to: number,
  target: Target,
  start: number,
): number {
  const { words } = target
  const size = to - from
  if (words !== undefined && ((from ^ start) & 3) === 0 && size <= loopWordsMax) {
    copyByWords(source, from, to, target.bytes, words, start)
  } else if (size <= loopOctetsMax) {
    copyByOctets(source.bytes, from, to, target.bytes, start)
  } else {
    target.bytes.set(source.bytes.subarray(from, to), start)
  }
  return start + size
}

function copyByWords(
  source: Memory,
  from: number,
  to: number,
  bytes: Uint8Array,
  words: Int32Array,
  start: number,
): void {
  let at = start
  let each = from
  for (; (at & 3) !== 0 && each < to; at++, each++) bytes[at] = source.bytes[each] ?? 0
  if (each === to) return
  const sourceWords = source.words
  const end = (to + 3) >> 2
  let word = at >> 2
  for (let next = each >> 2; next < end; next++) words[word++] = sourceWords[next] ?? 0
}

function copyByOctets(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  start: number,
): void {
  let at = start
  for (let each = from; each < to; each++) target[at++] = source[each] ?? 0
}

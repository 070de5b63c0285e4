/** What a column holds: text, an integer or bytes. Anything else is only found in a damaged file. */
export type RowValue = unknown

/** What a sum was at some time. */
export type SumMark = readonly [number, number]

let laneA = 0
let laneB = 0

/**
 * The sum of a set of rows, whatever their order: 64 bits, as two lanes of 32, of the hashes of all
 * rows added up. One row is added or subtracted in less than a microsecond, so the write path keeps
 * it. It finds damage and replicas that differ. It does not protect against an attacker who chooses
 * the rows.
 */
export class RowSum {
  #a = 0
  #b = 0

  /** 16 hexadecimal digits. */
  get text(): string {
    return hex(this.#a) + hex(this.#b)
  }

  /** The reverse of {@link text}; undefined for what is none. */
  static parse(text: string): RowSum | undefined {
    if (!/^[0-9a-f]{16}$/.test(text)) return undefined
    const sum = new RowSum()
    sum.#a = Number.parseInt(text.slice(0, 8), 16) | 0
    sum.#b = Number.parseInt(text.slice(8), 16) | 0
    return sum
  }

  /** For {@link reset}. */
  mark(): SumMark {
    return [this.#a, this.#b]
  }

  /** Becomes what it was at a mark. */
  reset([a, b]: SumMark): void {
    this.#a = a
    this.#b = b
  }

  /** `values`: of one row, in the order of the table's columns. */
  add(values: readonly RowValue[]): void {
    hashRow(values)
    this.#a = (this.#a + laneA) | 0
    this.#b = (this.#b + laneB) | 0
  }

  subtract(values: readonly RowValue[]): void {
    hashRow(values)
    this.#a = (this.#a - laneA) | 0
    this.#b = (this.#b - laneB) | 0
  }
}

/** A text that stands for `values`; 16 hexadecimal digits. */
export function hashOf(values: readonly RowValue[]): string {
  const sum = new RowSum()
  sum.add(values)
  return sum.text
}

/** Into the two lanes, so that a row costs no object. */
function hashRow(values: readonly RowValue[]): void {
  laneA = 0x811c9dc5 | 0
  laneB = 0x2545f491 | 0
  for (const value of values) {
    if (typeof value === 'string') hashText(value)
    else if (typeof value === 'number') hashNumber(value)
    else if (value instanceof Uint8Array) hashBytes(value)
    else {
      mix(3)
      hashText(String(value))
    }
  }
  const a = laneA
  laneA = avalanche(laneA ^ laneB)
  laneB = avalanche(laneB + Math.imul(a, 0x9e3779b1))
}

function hashText(text: string): void {
  let a = laneA
  let b = laneB
  let units = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    // Half a surrogate pair is read back from SQLite as U+FFFD, once or thrice: neither counts.
    if (unit >= 0xd800 && (unit === 0xfffd || isLoneSurrogate(text, at, unit))) continue
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b + unit, 0x5bd1e995) ^ (b >>> 13)
    units++
  }
  laneA = a
  laneB = b
  // The length tells where a text ends and the next begins.
  mix(0x10000 + units)
}

function hashBytes(bytes: Uint8Array): void {
  let a = laneA
  let b = laneB
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193)
    b = Math.imul(b + byte, 0x5bd1e995) ^ (b >>> 13)
  }
  laneA = a
  laneB = b
  mix(0x20000 + bytes.length)
}

function hashNumber(value: number): void {
  mix(value | 0)
  mix(Math.floor(value / 2 ** 32) | 0)
}

function mix(word: number): void {
  laneA = Math.imul(laneA ^ word, 0x01000193)
  laneB = Math.imul(laneB + word, 0x5bd1e995) ^ (laneB >>> 13)
}

function isLoneSurrogate(text: string, at: number, unit: number): boolean {
  if (unit > 0xdfff) return false
  if (unit < 0xdc00) {
    const next = text.charCodeAt(at + 1)
    return !(next >= 0xdc00 && next <= 0xdfff)
  }
  const before = text.charCodeAt(at - 1)
  return !(before >= 0xd800 && before <= 0xdbff)
}

/** MurmurHash3's finalizer: each bit of the word moves all others. */
function avalanche(word: number): number {
  let mixed = word
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}

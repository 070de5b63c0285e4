// ITU-T X.690, distinguished encoding rules: what a certificate needs of them.

/** One value: tag, length, content. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content])
}

function lengthOf(length: number): readonly number[] {
  if (length < 128) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => der(0x30, ...items)
export const setOf = (...items: readonly Uint8Array[]): Buffer => der(0x31, ...items)
export const octets = (content: Uint8Array): Buffer => der(0x04, content)
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text))
export const truth = der(0x01, Buffer.from([0xff]))
export const nothing = der(0x05)

/** `[tag]`, replacing the tag of what it holds. */
export const implicit = (tag: number, content: Uint8Array): Buffer => der(0x80 | tag, content)
/** `[tag]` around whole values. */
export const explicit = (tag: number, ...items: readonly Uint8Array[]): Buffer =>
  der(0xa0 | tag, ...items)

/** A number that is not negative, as its bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const short = first < 0 ? Buffer.alloc(1) : bytes.subarray(first)
  const isMarked = ((short[0] ?? 0) & 0x80) !== 0
  return der(0x02, ...(isMarked ? [Buffer.alloc(1)] : []), short)
}

export function bits(content: Uint8Array, unused = 0): Buffer {
  return der(0x03, Buffer.from([unused]), content)
}

/** `2.5.29.15`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): readonly number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128))
  }
  return bytes
}

/** RFC 5280 §4.1.2.5: two digits of the year until 2049, then four. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  const isShort = date.getUTCFullYear() < 2050
  return der(isShort ? 0x17 : 0x18, Buffer.from(isShort ? digits.slice(2) : digits))
}

/** A value and its bytes. */
export interface DerValue {
  readonly tag: number
  readonly content: Buffer
  /** With tag and length. */
  readonly whole: Buffer
}

/** The consecutive values in `bytes`, which OpenSSL has checked. */
export function valuesIn(bytes: Buffer): readonly DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const tag = bytes[at] ?? 0
    const short = bytes[at + 1] ?? 0
    const more = short < 128 ? 0 : short & 0x7f
    const length = more === 0 ? short : bytes.readUIntBE(at + 2, more)
    const start = at + 2 + more
    const end = start + length
    values.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return values
}

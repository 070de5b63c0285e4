/** Octets of an OPT record without options. */
const optBytes = 11
const cookieCode = 10

/** The query with a COOKIE option; it must end with an OPT record without options. */
export function withCookie(query: Buffer, cookie: string): Buffer {
  const value = Buffer.from(cookie, 'hex')
  const head = Buffer.alloc(4)
  head.writeUInt16BE(cookieCode)
  head.writeUInt16BE(value.length, 2)
  const whole = Buffer.concat([query, head, value])
  whole.writeUInt16BE(head.length + value.length, query.length - 2)
  return whole
}

/**
 * The cookies of an answer as hexadecimal digits; undefined: it has none. The OPT record is its last one, and the
 * cookie the last option.
 */
export function cookieOf(answer: Uint8Array): string | undefined {
  const bytes = Buffer.from(answer)
  const at = bytes.length - 28
  if (at < 12 + optBytes || bytes.readUInt32BE(at) !== ((cookieCode << 16) | 24)) return undefined
  return bytes.subarray(at + 4).toString('hex')
}

/** The response code, with the upper bits that an OPT record right after the question has. */
export function rcodeOf(answer: Uint8Array, questionEnd: number): number {
  const upper = answer.length > questionEnd ? (answer[questionEnd + 5] ?? 0) : 0
  return (upper << 4) | ((answer[3] ?? 0) & 0x0f)
}

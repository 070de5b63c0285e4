/** Whether serial `one` is newer than `other` (RFC 1982 §3.2): they wrap around at 2^32. */
export function isNewerSerial(one: number, other: number): boolean {
  const distance = (one - other) >>> 0
  return distance > 0 && distance < 0x8000_0000
}

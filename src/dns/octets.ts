import type { Name } from './name.ts'

// The fields of a record's data in wire form, one character per octet.

export function u8(value: number): string {
  return String.fromCharCode(value)
}

export function u16(value: number): string {
  return String.fromCharCode(value >> 8, value & 0xff)
}

export function u32(value: number): string {
  return u16(value >>> 16) + u16(value & 0xffff)
}

/** A character string: its length first. */
export function string(octets: string): string {
  return u8(octets.length) + octets
}

/** Without compression, as RFC 3597 §4 requires for all types that came after RFC 1035. */
export function name(labels: Name): string {
  return `${labels.map(string).join('')}\0`
}

/** Whether a text is a token, as names of fields and methods are (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text)
}

/**
 * Fields that describe one connection (RFC 9110 §7.6.1), with Trailer (§6.6.2) and the fields for a
 * proxy.
 */
const connectionFields: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Whether a field belongs to the connection and not to the request, so that no definition may set it. */
export function isConnectionField(name: string): boolean {
  const lower = name.toLowerCase()
  return connectionFields.has(lower) || lower.startsWith('proxy-')
}

/** A text as the value of a field, which has ASCII only (RFC 9110 §5.5): other characters as `\u00fc`. */
export function toFieldText(text: string): string {
  return text.replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The text that {@link toFieldText} wrote. */
export function fromFieldText(value: string): string {
  return value.replaceAll(/\\u([0-9a-f]{4})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

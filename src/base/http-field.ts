/** Whether a text is a token, as names of fields and methods are (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text)
}

/**
 * What is said of one connection by whoever opens it: RFC 9110 §7.6.1, with Trailer (§6.6.2) and the
 * fields for a proxy.
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

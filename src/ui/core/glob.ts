/** Whether a text is what a pattern says, in any case; `*` stands for any characters. Linear in both lengths. */
export function globMatches(pattern: string, text: string): boolean {
  const parts = pattern.toLowerCase().split('*')
  const whole = text.toLowerCase()
  const [first = ''] = parts
  if (parts.length === 1) return whole === first
  const last = parts.at(-1) ?? ''
  if (!whole.startsWith(first) || !whole.endsWith(last)) return false
  if (whole.length < first.length + last.length) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = whole.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= whole.length - last.length
}

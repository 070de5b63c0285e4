/** Names of secrets in options, files and definitions. */
const secretName =
  /token|secret|password|passphrase|encrypt|credential|authorization|private|tsig_?keys$/i
/** A user and password in a URL. */
const urlCredentials = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi
const pemBlock = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?-----END [A-Z ]*PRIVATE KEY-----/g

const hidden = '<hidden>'

/** A copy without secrets: values with such a name, and credentials inside other texts. */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value)
  if (Array.isArray(value)) return value.map(redact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretName.test(name) && isSet(inner) ? hidden : redact(inner),
    ]),
  )
}

/** Whether there is something to hide; an empty value stays visible. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && typeof value !== 'boolean'
}

export function redactText(text: string): string {
  return text.replaceAll(urlCredentials, `$1${hidden}@`).replaceAll(pemBlock, hidden)
}

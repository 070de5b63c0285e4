import type { Tokens } from '../ports/tokens.ts'

const hidden = '<hidden>'
const uuid = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi

/**
 * The path and the parameters of a request as they may be logged: without the parameter `token`, and without secrets
 * of tokens in other places, for example where an accessor ID belongs.
 */
export function hideSecretsInUrl(url: string, tokens: Tokens): string {
  const withoutToken = url.replaceAll(
    /([?&])([^=&]*)=[^&]*/g,
    (all: string, before: string, name: string) =>
      isToken(name) ? `${before}token=${hidden}` : all,
  )
  return hideSecrets(withoutToken, tokens)
}

/** A text that a client has sent, without the secrets of tokens, which are UUIDs unless an operator has chosen them. */
export function hideSecrets(text: string, tokens: Tokens): string {
  if (!tokens.isEnabled) return text
  if (tokens.isSecret(text)) return hidden
  return text.replaceAll(uuid, (id) => (tokens.isSecret(id) ? hidden : id))
}

/** Names of parameters may be escaped. */
function isToken(name: string): boolean {
  try {
    return decodeURIComponent(name) === 'token'
  } catch {
    return false
  }
}

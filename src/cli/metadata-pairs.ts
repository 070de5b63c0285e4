import { svcdError } from '../base/errors.ts'

/** The values of `--meta`. Throws `invalid-option`. */
export function metadataPairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) {
        const reason = `"${text}" is not KEY=VALUE, such as version=2`
        throw svcdError('invalid-option', { option: '--meta', reason })
      }
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

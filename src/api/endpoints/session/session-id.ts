import { svcdError } from '../../../base/errors.ts'

/** The ID of a session, as a path or a parameter names it. Throws `missing-name`, `session-id-invalid`. */
export function sessionIdOf(text: string): string {
  if (text === '') throw svcdError('missing-name', { what: 'session' })
  // All IDs have this form: no other text can be one.
  if (text.length !== 36) throw svcdError('session-id-invalid', { id: text.slice(0, 100) })
  return text.toLowerCase()
}

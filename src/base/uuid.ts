const form = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Whether a text has the form of a UUID, in any case. */
export function isUuid(text: string): boolean {
  return form.test(text)
}

/**
 * A broken invariant is a defect in svcd, never an operating condition: it is thrown as an
 * `InvariantError`, is not caught anywhere, and ends the process. Asserts stay on in production.
 */
export class InvariantError extends Error {
  override name = 'InvariantError'
}

/** Throws {@link InvariantError} unless `condition` holds. `claim` says what should have been true. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${claim}`)
}

/** Returns `value`, or throws {@link InvariantError} when it is null or undefined. */
export function must<T>(value: T | null | undefined, claim = 'value is present'): T {
  if (value === null || value === undefined) throw new InvariantError(`broken invariant: ${claim}`)
  return value
}

/** The default branch of an exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new InvariantError(`broken invariant: no case for ${JSON.stringify(value)}`)
}

/** How long clients with the right to write tokens can read the secret of a new token. */
const shownMs = 600_000
const shownMax = 1024

interface Shown {
  readonly secret: string
  readonly untilMs: number
}

/**
 * Secrets of the tokens that this server has just created. Only hashes are stored, and clients such as Terraform read
 * the secret in a second request.
 */
export class NewSecrets {
  readonly #wallMs: () => number
  readonly #shown = new Map<string, Shown>()

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  add(accessorId: string, secret: string): void {
    const nowMs = this.#wallMs()
    // In the order of their ends.
    for (const [oldest, { untilMs }] of this.#shown) {
      if (untilMs > nowMs && this.#shown.size < shownMax) break
      this.#shown.delete(oldest)
    }
    this.#shown.delete(accessorId)
    this.#shown.set(accessorId, { secret, untilMs: nowMs + shownMs })
  }

  get(accessorId: string): string | undefined {
    const shown = this.#shown.get(accessorId)
    if (shown === undefined) return undefined
    if (shown.untilMs > this.#wallMs()) return shown.secret
    this.#shown.delete(accessorId)
    return undefined
  }

  remove(accessorId: string): void {
    this.#shown.delete(accessorId)
  }
}

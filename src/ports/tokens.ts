import type { Requester } from '../access/requester.ts'

/** Who the secrets of requests belong to. */
export interface Tokens {
  /** False: everybody may do everything, and the endpoints of tokens answer `acl-disabled`. */
  readonly isEnabled: boolean
  readonly defaultPolicy: 'allow' | 'deny'
  /**
   * Whose secret this is, by this server's own copy of the state and the present time. Undefined: the request has
   * none; then the default token of the agent counts, or else the anonymous token. Cheap: it is called for each
   * request, and again when a wait of a request ends. Throws `acl-not-found` for a secret that is unknown or expired.
   */
  requester(secret: string | undefined): Requester
  /** Calls back after each change that may give another answer. Returns how to stop that. */
  onChange(listener: () => void): () => void
}

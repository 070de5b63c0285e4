import { nameKey } from '../../dns/name.ts'
import type { Name } from '../../dns/name.ts'

/** The algorithms of RFC 8945 §6 that svcd knows, by name, with the hash that OpenSSL uses. */
const hashes: Readonly<Record<string, { readonly hash: string; readonly bytes: number }>> = {
  'hmac-sha1': { hash: 'sha1', bytes: 20 },
  'hmac-sha224': { hash: 'sha224', bytes: 28 },
  'hmac-sha256': { hash: 'sha256', bytes: 32 },
  'hmac-sha384': { hash: 'sha384', bytes: 48 },
  'hmac-sha512': { hash: 'sha512', bytes: 64 },
}

/** A secret that two servers share (RFC 8945 §2). */
export interface TsigKey {
  readonly name: Name
  /** `hmac-sha256` and so on. */
  readonly algorithm: string
  readonly secret: Uint8Array
}

/** The hash of a key's algorithm, and the octets of its MAC. */
export function hashOf({ algorithm }: TsigKey): { readonly hash: string; readonly bytes: number } {
  return hashes[algorithm] ?? { hash: 'sha256', bytes: 32 }
}

/** All keys of a server. */
export class TsigKeys {
  readonly #byName: ReadonlyMap<string, TsigKey>

  constructor(keys: readonly TsigKey[]) {
    this.#byName = new Map(keys.map((key) => [nameKey(key.name), key]))
  }

  /** The key of a name, if it is used with its own algorithm; undefined: there is none. */
  find(name: Name, algorithm: Name): TsigKey | undefined {
    const key = this.#byName.get(nameKey(name))
    return key !== undefined && nameKey(algorithm) === nameKey([key.algorithm]) ? key : undefined
  }

  named(name: Name): TsigKey | undefined {
    return this.#byName.get(nameKey(name))
  }
}

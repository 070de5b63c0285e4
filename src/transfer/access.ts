import { IpPrefixes } from '../base/ip-prefixes.ts'
import { nameKey } from '../dns/name.ts'
import type { Name } from '../dns/name.ts'
import type { TsigKey } from './tsig/keys.ts'

/** Who may transfer zones: clients of a network, or clients with a key, or both together. */
export interface TransferRule {
  /** Undefined: any address. */
  readonly network: string | undefined
  /** Undefined: also without a key. */
  readonly key: Name | undefined
}

/** Decides who may transfer zones. */
export class TransferAccess {
  readonly #rules: readonly {
    readonly networks: IpPrefixes | undefined
    readonly key: string | undefined
  }[]

  constructor(rules: readonly TransferRule[]) {
    this.#rules = rules.map(({ network, key }) => ({
      networks: network === undefined ? undefined : new IpPrefixes([network]),
      key: key === undefined ? undefined : nameKey(key),
    }))
  }

  /** `key`: the one with which the query was signed. */
  allows(client: string, key: TsigKey | undefined): boolean {
    const signedWith = key === undefined ? undefined : nameKey(key.name)
    return this.#rules.some(
      (rule) =>
        (rule.networks === undefined || rule.networks.containsText(client)) &&
        (rule.key === undefined || rule.key === signedWith),
    )
  }
}

import { parseIp } from '../../base/ip.ts'
import type { IpBytes } from '../../base/ip.ts'
import type { NodeDefinition, ServiceDefinition } from './model.ts'

/** Where one thing is reached: at most one address of each family, or a host name instead of both. */
export interface Reach {
  readonly v4?: IpBytes | undefined
  readonly v6?: IpBytes | undefined
  readonly name?: string | undefined
}

export function reachOfNode({
  address,
  taggedAddresses: tagged,
}: Pick<NodeDefinition, 'address' | 'taggedAddresses'>): Reach {
  return reachOf([address, tagged['lan_ipv4'], tagged['lan_ipv6']])
}

/** Nothing at all for a service that is reached at its node's address. */
export function reachOfService({
  address,
  taggedAddresses: tagged,
}: Pick<ServiceDefinition, 'address' | 'taggedAddresses'>): Reach {
  if (address === '' && Object.keys(tagged).length === 0) return {}
  return reachOf([address, tagged['lan_ipv4']?.address, tagged['lan_ipv6']?.address])
}

/** The first given of each family wins; a host name counts when there is no IP. */
function reachOf(texts: readonly (string | undefined)[]): Reach {
  let [v4, v6]: [IpBytes | undefined, IpBytes | undefined] = [undefined, undefined]
  let name: string | undefined
  for (const text of texts) {
    if (text === undefined || text === '') continue
    const ip = parseIp(text)
    if (ip === undefined) name ??= text
    else if (ip.length === 4) v4 ??= ip
    else v6 ??= ip
  }
  return v4 === undefined && v6 === undefined ? { name } : { v4, v6 }
}

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** The key of an address in the index of addresses: `4` or `6`, then its hexadecimal digits. */
export function addressKey(ip: IpBytes): string {
  let key = ip.length === 4 ? '4' : '6'
  for (const byte of ip) key += hexOf[byte] ?? ''
  return key
}

export function addressKeys({ v4, v6 }: Reach): readonly string[] {
  return [v4, v6].flatMap((ip) => (ip === undefined ? [] : [addressKey(ip)]))
}

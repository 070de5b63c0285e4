import type { Config } from '../../config/options.ts'
import type { Name } from '../../dns/name.ts'
import { staticZones } from '../../dns/static-zone.ts'
import type { StaticZone } from '../../dns/static-zone.ts'
import type { Zone } from '../../dns/zone.ts'

/** The registry's domain, and the alternative one if there is one. */
export function domainsOf({
  domain,
  altDomain,
}: Pick<Config, 'domain' | 'altDomain'>): readonly Name[] {
  return [domain, altDomain].flatMap((text) => (text === undefined ? [] : [text.split('.')]))
}

/** What DNS answers depend on beside the registry, from the configuration. */
export function zoneOf(
  config: Pick<Config, 'domain' | 'altDomain' | 'datacenter' | 'dns'>,
  zones: readonly StaticZone[],
): Zone {
  const [domain = [], altDomain] = domainsOf(config)
  const { soa, nodeTtlSeconds, serviceTtlSeconds, nodeMetaTxt, emptyAnswer, enableTruncate } =
    config.dns
  return {
    domain,
    altDomain,
    datacenter: config.datacenter,
    soa: {
      refresh: soa.refresh,
      retry: soa.retry,
      expire: soa.expire,
      minimum: soa.minTtl,
    },
    nodeTtl: nodeTtlSeconds,
    serviceTtls: serviceTtlSeconds,
    nodeMetaTxt,
    emptyAnswer,
    enableTruncate,
    staticZones: staticZones(zones),
    offersTransfers: config.dns.transferAllow.length > 0,
  }
}

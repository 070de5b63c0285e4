import {
  hasEqualWeights,
  hostRecords,
  ipData,
  ipWeights,
  reachableAt,
  soleAlias,
} from './host-data.ts'
import { namedInstances, uniqueHosts } from './named-instances.ts'
import { recordType } from './record.ts'
import { metaStrings, txtData } from './txt.ts'
import type { Contents } from './contents-shape.ts'
import type { NamedInstance } from './named-instances.ts'
import type { Endpoint } from './view.ts'
import type { Zone } from './zone.ts'

const { A, AAAA, SRV, TXT, SVCB, HTTPS } = recordType

export function serviceContents(endpoints: readonly Endpoint[], ttl: number, zone: Zone): Contents {
  const hosts = endpoints.map(reachableAt)
  const alias = soleAlias(hosts)
  const named = namedContents(endpoints, ttl, zone)
  return {
    ...named,
    alias,
    types: [A, AAAA, SRV, TXT, SVCB, HTTPS],
    data: (type) => {
      if (type === TXT) return txtData(endpoints.flatMap(({ meta }) => metaStrings(meta ?? {})))
      if (type !== A && type !== AAAA) return named.data(type)
      return alias === undefined ? ipData(hosts, type) : []
    },
    weights: (type, count) => {
      if (type !== A && type !== AAAA) return named.weights(type, count)
      return hasEqualWeights(endpoints, count) ? undefined : ipWeights(endpoints, hosts, type)
    },
  }
}

/** The records that name the instances: SRV, SVCB and HTTPS. */
export function namedContents(
  endpoints: readonly Endpoint[],
  ttl: number,
  zone: Zone,
): Contents & Required<Pick<Contents, 'weights'>> {
  const made = new Map<number, readonly NamedInstance[]>()
  const named = (type: number): readonly NamedInstance[] => {
    if (type !== SRV && type !== SVCB && type !== HTTPS) return []
    const known = made.get(type) ?? namedInstances(type, endpoints, zone)
    made.set(type, known)
    return known
  }
  return {
    alias: undefined,
    types: [SRV, SVCB],
    ttl,
    data: (type) => named(type).map(({ data }) => data),
    // SRV has its weights in the records, and clients choose by them.
    weights: (type, count) => {
      if ((type !== SVCB && type !== HTTPS) || hasEqualWeights(endpoints, count)) return undefined
      return named(type).map(({ weight }) => weight)
    },
    additional: (type) =>
      uniqueHosts(named(type)).flatMap(({ target, host }) => hostRecords(target, host, ttl)),
  }
}

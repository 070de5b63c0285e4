import { isNearlyHostName, isValidName, nameKey, octetsToUtf8, utf8ToOctets } from './name.ts'
import { hash } from './packed-records.ts'
import { encodeData } from './rdata.ts'
import { recordType } from './record.ts'
import { namedContents } from './service-contents.ts'
import { pairStrings, txtData } from './txt.ts'
import { serviceTtl } from './zone.ts'
import type { Contents } from './contents-shape.ts'
import type { ServiceLocation } from './locate.ts'
import type { Name } from './name.ts'
import type { RecordData, ResourceRecord } from './record.ts'
import type { Endpoint, View } from './view.ts'
import type { Zone } from './zone.ts'

// DNS-based service discovery (RFC 6763): which services there are, their instances, and what each is.

const { SRV, TXT, PTR, HTTPS, SVCB } = recordType

const labelBytesMax = 63
/** A pointer, type, class, TTL, length, and `_x._tcp` with a pointer to the domain. */
const typeRecordBytesMin = 12 + 3 + 5 + 2

/** `_services._dns-sd._udp.<domain>`: the types of all registered services (RFC 6763 §9). */
export function serviceTypes(view: View, zone: Zone, bytesMax: number): Contents {
  // One more than fit: then the answer is cut and has TC.
  const limit = Math.floor(bytesMax / typeRecordBytesMin) + 1
  // Some resolvers reject the whole answer if one name in it is not nearly a host name.
  const names = view.serviceNames(limit, (service) => isNearlyHostName([`_${service}`]))
  return pointers(
    names.map((service) => typeName({ service, tag: undefined }, zone)),
    serviceTtl(zone, ''),
  )
}

/** `b._dns-sd._udp.<domain>`: where to browse (RFC 6763 §11). */
export function browseDomains(zone: Zone): Contents {
  return pointers([zone.domain], serviceTtl(zone, ''))
}

/** The contents of `_web._tcp.<domain>`, or of a name of an instance below it; undefined if there is none. */
export function browseContents(
  endpoints: readonly Endpoint[],
  location: ServiceLocation,
  zone: Zone,
  bytesMax: number,
): Contents | undefined {
  const ttl = serviceTtl(zone, location.service)
  const owner = typeName(location, zone)
  if (location.instance === undefined) return typeContents(endpoints, owner, ttl, zone, bytesMax)
  const key = nameKey([utf8ToOctets(location.instance), ...owner])
  const named = endpoints.filter((endpoint) => nameKey(instanceName(endpoint, owner)) === key)
  return named.length === 0 ? undefined : instanceContents(named, ttl, zone)
}

/** `_web._tcp.<domain>`, or with a tag in place of the protocol. */
function typeName(
  { service, tag = 'tcp' }: Pick<ServiceLocation, 'service' | 'tag'>,
  zone: Zone,
): Name {
  return [utf8ToOctets(`_${service}`), utf8ToOctets(`_${tag}`), ...zone.domain]
}

/** The name of an instance: node and ID in one label, the end of which is a hash if it would be too long. */
function instanceName({ node, id }: Endpoint, owner: Name): Name {
  const octets = utf8ToOctets(`${node}:${id}`)
  if (octets.length <= labelBytesMax) return [octets, ...owner]
  const end = `~${hash(octets).toString(16).padStart(8, '0')}`
  // A cut inside a character leaves U+FFFD at the end; trim it.
  const cut = octetsToUtf8(octets.slice(0, labelBytesMax - end.length)).replace(/\uFFFD+$/, '')
  return [utf8ToOctets(cut) + end, ...owner]
}

/** SRV, and the names of the instances (RFC 6763 §4.1). */
function typeContents(
  endpoints: readonly Endpoint[],
  owner: Name,
  ttl: number,
  zone: Zone,
  bytesMax: number,
): Contents {
  const named = namedContents(endpoints, ttl, zone)
  const names = (): readonly Name[] => {
    const all = endpoints.map((endpoint) => instanceName(endpoint, owner)).filter(isValidName)
    return [...new Map(all.map((name) => [nameKey(name), name])).values()]
  }
  return {
    ...named,
    types: [SRV, PTR, SVCB],
    data: (type) => {
      if (type === PTR) return names().map(nameData)
      return type === HTTPS ? [] : named.data(type)
    },
    additional: (type, asked) =>
      type === PTR
        ? instanceRecords(endpoints, owner, ttl, zone, bytesMax)
        : named.additional(type, asked),
  }
}

/** RFC 6763 §12.1: the records at the names that the PTR records lead to, as many as an answer can have. */
function instanceRecords(
  endpoints: readonly Endpoint[],
  owner: Name,
  ttl: number,
  zone: Zone,
  bytesMax: number,
): readonly ResourceRecord[] {
  // Instances share addresses.
  const found = new Map<string, ResourceRecord>()
  let bytes = 0
  for (const endpoint of endpoints) {
    if (bytes > bytesMax) break
    const name = instanceName(endpoint, owner)
    if (!isValidName(name)) continue
    const contents = instanceContents([endpoint], ttl, zone)
    const own = contents.types.flatMap((type) =>
      contents.data(type).map((data) => ({ name, type, ttl, data })),
    )
    for (const record of [...own, ...contents.additional(SRV, name)]) {
      const data = encodeData(record.data)
      bytes += data.length
      found.set(`${record.type}/${nameKey(record.name)}/${data}`, record)
    }
  }
  return [...found.values()]
}

/** RFC 6763 §5 and §6: where an instance is, and its meta in one TXT record. */
function instanceContents(endpoints: readonly Endpoint[], ttl: number, zone: Zone): Contents {
  const named = namedContents(endpoints, ttl, zone)
  return {
    ...named,
    types: [SRV, TXT],
    data: (type) => {
      if (type === TXT) return txtData(endpoints.map(({ meta }) => pairStrings(meta ?? {})))
      return type === SRV ? named.data(SRV) : []
    },
  }
}

function pointers(names: readonly Name[], ttl: number): Contents {
  return {
    alias: undefined,
    types: [PTR],
    ttl,
    data: (type) => (type === PTR ? names.map(nameData) : []),
    additional: () => [],
  }
}

function nameData(name: Name): RecordData {
  return { kind: 'name', name }
}

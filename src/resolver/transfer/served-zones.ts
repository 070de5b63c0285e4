import { nameKey, sameName } from '../../dns/name.ts'
import type { Name } from '../../dns/name.ts'
import { recordType } from '../../dns/record.ts'
import type { ResourceRecord } from '../../dns/record.ts'
import type { StaticZone } from '../../dns/static-zone.ts'
import { zoneAt } from '../../dns/zone.ts'
import type { Zone } from '../../dns/zone.ts'
import { openVersions } from '../../state/families.ts'
import { registrySoa } from '../../transfer/registry-zone.ts'
import type { DnsRights } from '../dns-rights.ts'
import { SharedMode } from '../threads/messages.ts'
import type { DnsAnswering } from '../threads/messages.ts'
import type { ImageOf } from './zone-images.ts'

/** A zone that can be transferred. */
export interface ServedZone {
  readonly isRegistry: boolean
  /** The SOA now. */
  readonly soa: () => ResourceRecord
  readonly image: ImageOf
}

/** The zones that this server has now: the registry's, and those of zone files. */
export class ServedZones {
  readonly #answering: DnsAnswering
  readonly #versions: ReturnType<typeof openVersions>
  readonly #mode: SharedMode
  #rights: DnsRights
  #zone: Zone

  constructor(answering: DnsAnswering) {
    this.#answering = answering
    this.#versions = openVersions(answering.versions)
    this.#mode = new SharedMode(answering.mode)
    this.#rights = answering.rights
    this.#zone = answering.zone
  }

  set zone(zone: Zone) {
    this.#zone = zone
  }

  set rights(rights: DnsRights) {
    this.#rights = rights
  }

  get staticZones(): readonly StaticZone[] {
    return [...this.#zone.staticZones.values()]
  }

  /** Whether this server has ever had the registry's state. */
  get hasRegistry(): boolean {
    return this.#mode.value !== 'never'
  }

  /** It has another value when DNS may have other answers for the registry's names. */
  get registryVersion(): string {
    const versions = this.#versions
    const applied = ['catalog', 'query'].map((family) => versions.of(family).applied)
    return [versions.generation, ...applied].join('/')
  }

  /** The zone with exactly this origin. */
  find(origin: Name): ServedZone | undefined {
    const fixed = this.#zone.staticZones.get(nameKey(origin))
    if (fixed !== undefined) return staticServed(fixed)
    return this.registry.find(({ image }) => image.key === nameKey(origin))
  }

  /** The registry's zones: one for each of its domains. */
  get registry(): readonly ServedZone[] {
    const { domain, altDomain } = this.#zone
    return [domain, altDomain].flatMap((origin) =>
      origin === undefined ? [] : [this.#registryServed(origin)],
    )
  }

  #registryServed(origin: Name): ServedZone {
    const { statePath, onlyPassing, nodeName } = this.#answering
    const zone = (): Zone => zoneAt(origin, this.#zone)
    return {
      isRegistry: true,
      soa: () => registrySoa(zone(), this.#versions.index),
      image: {
        key: nameKey(origin),
        version: () => `${this.#versions.generation}/${this.#versions.index}`,
        source: () => ({
          kind: 'registry',
          zone: zone(),
          statePath,
          rights: this.#rights,
          onlyPassing,
          nodeName,
        }),
      },
    }
  }
}

export function staticServed(zone: StaticZone): ServedZone {
  const { origin: name, soaTtl: ttl, soa: data } = zone
  return {
    isRegistry: false,
    soa: () => ({ name, type: recordType.SOA, ttl, data }),
    image: {
      key: nameKey(name),
      version: () => zone.records,
      source: () => ({ kind: 'static', zone }),
    },
  }
}

/** Whether two zones have the same records. */
export function isSameZone(one: StaticZone, other: StaticZone): boolean {
  if (!sameName(one.origin, other.origin)) return false
  return Buffer.from(one.records).equals(Buffer.from(other.records))
}

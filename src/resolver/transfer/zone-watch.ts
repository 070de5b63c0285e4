import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { formatName, nameKey } from '../../dns/name.ts'
import type { ResourceRecord } from '../../dns/record.ts'
import type { StaticZone } from '../../dns/static-zone.ts'
import { isNewerSerial } from '../../transfer/serial.ts'
import { isSameZone, staticServed } from './served-zones.ts'
import type { ServedZones } from './served-zones.ts'

const lookMs = 200
/** The registry may change many times a second. */
const betweenMs = 1000

export interface ZoneWatchParts {
  readonly zones: ServedZones
  readonly clock: Clock
  readonly logger: Logger
  readonly notify: (soa: ResourceRecord) => void
}

/** Notices that zones have changed: those of the registry at most once a second, those of files when they are read. */
export class ZoneWatch {
  readonly #parts: ZoneWatchParts
  readonly #timer: NodeJS.Timeout
  #static: readonly StaticZone[] = []
  #toldVersion = ''
  #toldMs = -Infinity

  constructor(parts: ZoneWatchParts) {
    this.#parts = parts
    this.zonesChanged()
    this.#timer = setInterval(() => this.#look(), lookMs).unref()
    this.#look()
  }

  /** The zone files were read, for the first time or again. */
  zonesChanged(): void {
    const { zones, notify } = this.#parts
    const before = new Map(this.#static.map((zone) => [nameKey(zone.origin), zone]))
    this.#static = zones.staticZones
    for (const zone of this.#static) {
      const old = before.get(nameKey(zone.origin))
      if (old !== undefined && isSameZone(old, zone)) continue
      if (old !== undefined) this.#checkSerial(old, zone)
      notify(staticServed(zone).soa())
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const { zones, clock, notify } = this.#parts
    const version = zones.registryVersion
    const nowMs = clock.monotonicMs()
    if (version === this.#toldVersion || nowMs - this.#toldMs < betweenMs) return
    if (!zones.hasRegistry) return
    this.#toldVersion = version
    this.#toldMs = nowMs
    for (const { soa } of zones.registry) notify(soa())
  }

  #checkSerial(old: StaticZone, zone: StaticZone): void {
    if (isNewerSerial(zone.soa.serial, old.soa.serial)) return
    const name = formatName(zone.origin)
    const fields = { zone: name, serial: zone.soa.serial, before: old.soa.serial }
    const text = `the zone ${name} has changed, but its serial has not risen, so secondaries keep the old records; increase the serial in the SOA record`
    this.#parts.logger.warn(fields, text)
  }
}

import type { Zone } from '../../dns/zone.ts'
import type { TransferDoor } from '../../net/packet-responder.ts'
import type { DnsRights } from '../dns-rights.ts'
import { Notifier } from './notifier.ts'
import { ServedZones } from './served-zones.ts'
import type { TransferFigures, TransferParts } from './transfer-options.ts'
import { ZoneTransfers } from './zone-transfers.ts'
import { ZoneWatch } from './zone-watch.ts'

/** Zone transfers of one node: what clients ask for, and what secondaries are told. */
export class Transfers {
  readonly #zones: ServedZones
  readonly #transfers: ZoneTransfers
  readonly #notifier: Notifier
  #watch: ZoneWatch | undefined
  readonly #parts: TransferParts

  constructor(parts: TransferParts) {
    this.#parts = parts
    this.#zones = new ServedZones(parts.answering)
    this.#transfers = new ZoneTransfers(parts, this.#zones)
    this.#notifier = new Notifier(parts)
  }

  get door(): TransferDoor {
    return this.#transfers
  }

  get figures(): TransferFigures {
    const { results, running, bytes } = this.#transfers
    return { results, running, bytes, notifies: this.#notifier.results }
  }

  /** Tells secondaries of all zones, and of changes from now on. DNS must be open: they ask immediately. */
  begin(): void {
    const { secondaries, clock, logger } = this.#parts
    if (secondaries.length === 0) return
    this.#watch = new ZoneWatch({
      zones: this.#zones,
      clock,
      logger,
      notify: (soa) => this.#notifier.notify(soa),
    })
  }

  setZone(zone: Zone): void {
    this.#zones.zone = zone
    this.#watch?.zonesChanged()
  }

  setRights(rights: DnsRights): void {
    this.#zones.rights = rights
  }

  async stop(): Promise<void> {
    this.#watch?.stop()
    this.#notifier.stop()
    await this.#transfers.stop()
  }
}

import type { Clock } from '../../base/clock.ts'
import { hostPort } from '../../base/host-port.ts'
import type { Logger } from '../../base/log.ts'
import { formatName, nameKey } from '../../dns/name.ts'
import { rcode } from '../../dns/record.ts'
import type { ResourceRecord } from '../../dns/record.ts'
import { UdpSockets } from '../../net/upstream/udp-sockets.ts'
import { PeerNotices } from '../../process/peer-notices.ts'
import { notifyMessage, notifyRcode } from '../../transfer/notify-message.ts'
import type { Notify } from '../../transfer/notify-message.ts'
import type { NotifyResult, Secondary } from './transfer-options.ts'

/** How long to wait for the first answer; doubled at each attempt (RFC 1996 §3.6). */
const firstTimeoutMs = 1000
const attemptsMax = 6

export interface NotifierParts {
  readonly secondaries: readonly Secondary[]
  readonly clock: Clock
  readonly logger: Logger
}

/** What one secondary has not acknowledged yet. A newer message for the zone takes its place. */
interface Pending {
  readonly soa: ResourceRecord
  attempt: number
  timer: NodeJS.Timeout | undefined
}

/** Tells secondaries that zones have changed, until they acknowledge it (RFC 1996). */
export class Notifier {
  readonly results: Record<NotifyResult, number> = {
    sent: 0,
    acknowledged: 0,
    refused: 0,
    unanswered: 0,
  }
  readonly #told: readonly ToldSecondary[]

  constructor({ secondaries, clock, logger }: NotifierParts) {
    const common = { results: this.results, clock, notices: new PeerNotices(logger, clock) }
    this.#told = secondaries.map((secondary) => new ToldSecondary(secondary, common))
  }

  /** The zone of this SOA has changed. */
  notify(soa: ResourceRecord): void {
    for (const secondary of this.#told) secondary.notify(soa)
  }

  stop(): void {
    for (const secondary of this.#told) secondary.stop()
  }
}

interface ToldParts {
  readonly results: Record<NotifyResult, number>
  readonly clock: Clock
  readonly notices: PeerNotices
}

class ToldSecondary {
  readonly #secondary: Secondary
  readonly #parts: ToldParts
  readonly #sockets: UdpSockets
  readonly #pending = new Map<string, Pending>()

  constructor(secondary: Secondary, parts: ToldParts) {
    this.#secondary = secondary
    this.#parts = parts
    this.#sockets = new UdpSockets(secondary, () => {})
  }

  notify(soa: ResourceRecord): void {
    const key = nameKey(soa.name)
    clearTimeout(this.#pending.get(key)?.timer)
    const pending: Pending = { soa, attempt: 0, timer: undefined }
    this.#pending.set(key, pending)
    this.#send(pending)
  }

  stop(): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer)
    this.#pending.clear()
    this.#sockets.close()
  }

  #send(pending: Pending): void {
    const { soa } = pending
    const timeoutMs = firstTimeoutMs * 2 ** pending.attempt
    const beganMs = this.#parts.clock.monotonicMs()
    pending.attempt++
    this.#parts.results.sent++
    let notify: Notify | undefined
    this.#sockets.ask({
      server: 0,
      timeoutMs,
      build: (id) => {
        notify = notifyMessage(id, soa, this.#secondary.key, this.#nowSeconds())
        return notify.packet
      },
      take: (answer) => {
        const code = notify && notifyRcode(answer, notify, this.#nowSeconds())
        if (code === undefined) return false
        this.#acknowledged(pending, code)
        return true
      },
      fail: () => {
        // A closed port is reported immediately, and its server may be starting.
        const leftMs = beganMs + timeoutMs - this.#parts.clock.monotonicMs()
        this.#again(pending, Math.max(0, leftMs))
      },
    })
  }

  #acknowledged(pending: Pending, code: number): void {
    if (!this.#settle(pending)) return
    const { results } = this.#parts
    if (code === rcode.NOERROR) {
      results.acknowledged++
      return
    }
    results.refused++
    this.#warn(pending, `it answered with RCODE ${code}; look at its log and its list of primaries`)
  }

  #again(pending: Pending, waitMs: number): void {
    if (this.#pending.get(nameKey(pending.soa.name)) !== pending) return
    if (pending.attempt < attemptsMax) {
      pending.timer = setTimeout(() => this.#send(pending), waitMs).unref()
      return
    }
    this.#settle(pending)
    this.#parts.results.unanswered++
    this.#warn(pending, 'no valid answer; it finds the change when it refreshes the zone')
  }

  /** False: a newer message has taken its place. */
  #settle(pending: Pending): boolean {
    const key = nameKey(pending.soa.name)
    if (this.#pending.get(key) !== pending) return false
    return this.#pending.delete(key)
  }

  #warn({ soa }: Pending, why: string): void {
    const { address, port } = this.#secondary
    const server = hostPort(address, port)
    const zone = formatName(soa.name)
    const text = `could not tell the secondary ${server} that the zone ${zone} has changed: ${why}`
    this.#parts.notices.warn(server, `notify of ${zone}`, { server, zone }, text)
  }

  #nowSeconds(): number {
    return Math.floor(this.#parts.clock.wallMs() / 1000)
  }
}

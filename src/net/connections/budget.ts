import { IdleList } from './idle-list.ts'
import { clientGroup } from '../../base/client-group.ts'
import type { IdleLinks } from './idle-list.ts'

/** How many connections one port may have. */
export interface PortLimits {
  readonly openMax: number
  /** Of these, how many may be idle, which for peers is: not greeted yet. */
  readonly idleMax?: number
  /** Connections of one address; Infinity: no limit of its own. */
  readonly perAddressMax: number
  /** The same for an address of this machine. */
  readonly perLocalAddressMax: number
  /** An address at its limit: its own oldest idle connection makes room, or the new one is refused. */
  readonly atAddressMax: 'displace' | 'refuse'
}

export interface Client {
  /** An IP address as text. */
  readonly address: string
  /** It is this machine. */
  readonly isLocal: boolean
}

/** Why a connection is refused: its address has all it may have, or the port has. */
export type Refusal = 'address' | 'total'

export interface PortFigures {
  readonly open: number
  readonly openMax: number
  readonly accepted: number
  /** Idle ones that were closed to make room. */
  readonly displaced: number
  readonly refusedAddress: number
  readonly refusedTotal: number
}

/**
 * What one group of addresses may have of a port: so one machine, or one subnet of IPv6, leaves a
 * quarter to all others whatever it does.
 */
const groupShare = 0.75

/** Everything of one address, one group, one port, or all ports. */
class Level {
  readonly openMax: number
  readonly idleMax: number
  readonly idle: IdleList<Slot>
  open = 0

  constructor(depth: number, openMax: number, idleMax: number) {
    this.openMax = openMax
    this.idleMax = idleMax
    this.idle = new IdleList(depth)
  }

  get isFull(): boolean {
    return this.open >= this.openMax || this.idle.size >= this.idleMax
  }
}

/** The place of one connection. It is idle until {@link enter}. */
export class Slot {
  readonly links: IdleLinks<Slot> = { previous: [], next: [] }
  readonly client: Client
  /** Closes the connection. */
  readonly close: () => void
  readonly #levels: readonly Level[]
  readonly #onRelease: (slot: Slot) => void
  #work = 0
  #isReleased = false

  constructor(
    client: Client,
    levels: readonly Level[],
    close: () => void,
    onRelease: (slot: Slot) => void,
  ) {
    this.client = client
    this.close = close
    this.#levels = levels
    this.#onRelease = onRelease
    for (const level of levels) {
      level.open++
      level.idle.append(this)
    }
  }

  /** A request is under way. */
  get isBusy(): boolean {
    return this.#work > 0
  }

  /** A request begins: the connection cannot be displaced until each that began has ended. */
  enter(): void {
    if (this.#work++ > 0 || this.#isReleased) return
    for (const level of this.#levels) level.idle.remove(this)
  }

  /** A request has ended. */
  leave(): void {
    if (--this.#work > 0 || this.#isReleased) return
    for (const level of this.#levels) level.idle.append(this)
  }

  /** It was used just now, and is idle again: the last of the idle ones to be displaced. */
  touch(): void {
    if (this.#work > 0 || this.#isReleased) return
    for (const level of this.#levels) {
      level.idle.remove(this)
      level.idle.append(this)
    }
  }

  /** The connection is gone. May be called again. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    for (const level of this.#levels) {
      level.open--
      if (this.#work === 0) level.idle.remove(this)
    }
    this.#onRelease(this)
  }
}

/** The connections of one port: which client may open one, and which connection is closed to make room. */
export class PortBudget {
  readonly #limits: PortLimits
  readonly #all: Level
  readonly #port: Level
  readonly #addresses = new Map<string, Level>()
  readonly #groups = new Map<string, Level>()
  #accepted = 0
  #displaced = 0
  #refusedAddress = 0
  #refusedTotal = 0

  constructor(all: Level, limits: PortLimits) {
    this.#all = all
    this.#limits = limits
    this.#port = new Level(depths.port, limits.openMax, limits.idleMax ?? Infinity)
  }

  get limits(): PortLimits {
    return this.#limits
  }

  get figures(): PortFigures {
    return {
      open: this.#port.open,
      openMax: this.#limits.openMax,
      accepted: this.#accepted,
      displaced: this.#displaced,
      refusedAddress: this.#refusedAddress,
      refusedTotal: this.#refusedTotal,
    }
  }

  /**
   * Addresses that have a connection. The entry of an address is removed with its last connection.
   */
  get addressCount(): number {
    return this.#addresses.size
  }

  /**
   * A place for a new connection, `close` being what ends it. `displaced` has given its place up; it
   * is to be closed by the caller.
   */
  admit(
    client: Client,
    close: () => void,
  ): { readonly slot: Slot; readonly displaced: Slot | undefined } | Refusal {
    const address = this.#addressLevel(client)
    const group = this.#groupLevel(client)
    let displaced: Slot | undefined
    // From the narrowest on: room that is made in one is room in all that are wider.
    for (const level of [address, group, this.#port, this.#all]) {
      if (!level.isFull) continue
      const mayDisplace = level !== address || this.#limits.atAddressMax === 'displace'
      const oldest = mayDisplace ? level.idle.oldest : undefined
      if (oldest === undefined) return this.#refuse(level === address || level === group)
      oldest.release()
      displaced = oldest
      break
    }
    if (displaced !== undefined) this.#displaced++
    this.#accepted++
    const slot = new Slot(client, [address, group, this.#port, this.#all], close, (gone) =>
      this.#forget(gone, address, group),
    )
    // Made room for, the level may have been dropped with its only connection.
    this.#addresses.set(client.address, address)
    this.#groups.set(groupOf(client), group)
    return { slot, displaced }
  }

  #addressLevel({ address, isLocal }: Client): Level {
    const { perAddressMax, perLocalAddressMax } = this.#limits
    const max = isLocal ? perLocalAddressMax : perAddressMax
    return this.#addresses.get(address) ?? new Level(depths.address, max, Infinity)
  }

  #groupLevel(client: Client): Level {
    const found = this.#groups.get(groupOf(client))
    if (found !== undefined) return found
    const { openMax, idleMax = Infinity } = this.#limits
    return new Level(depths.group, Math.ceil(openMax * groupShare), Math.ceil(idleMax * groupShare))
  }

  #refuse(isOfAddress: boolean): Refusal {
    if (isOfAddress) this.#refusedAddress++
    else this.#refusedTotal++
    return isOfAddress ? 'address' : 'total'
  }

  #forget({ client }: Slot, address: Level, group: Level): void {
    if (address.open === 0) this.#addresses.delete(client.address)
    if (group.open === 0) this.#groups.delete(groupOf(client))
  }
}

/** The place of each level's list in the links of a slot. */
const depths = { address: 0, group: 1, port: 2, all: 3 } as const

function groupOf({ address, isLocal }: Client): string {
  return isLocal ? 'local' : clientGroup(address)
}

/**
 * The connections that clients may have of a process, over all ports together. Each port has its own
 * limits, and of the other ports' the least that they are left: the limits of two ports may come to
 * more than there is.
 */
export class ConnectionBudget {
  readonly #all: Level

  constructor(openMax: number) {
    this.#all = new Level(depths.all, openMax, Infinity)
  }

  get open(): number {
    return this.#all.open
  }

  port(limits: PortLimits): PortBudget {
    return new PortBudget(this.#all, limits)
  }
}

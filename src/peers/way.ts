import { parseIp } from '../base/ip.ts'
import { dialAddress } from './address.ts'
import type { NodeId } from '../raft/entry.ts'
import type { LinkOptions, PeerLink } from './link.ts'
import type { PeerSession } from './session.ts'

/** A member that this server reaches at another address than the configuration has. */
export interface MovedPeer {
  readonly id: NodeId
  readonly address: string
  /** It has proven its identity. Otherwise anyone could answer there and claim to be this server. */
  readonly isProven: boolean
}

type OnAttempt = NonNullable<LinkOptions['onAttempt']>

/**
 * The ways to one member: to its address in the configuration, and to the address in its own
 * greeting. Ids identify members, and addresses follow. At either address only that id is accepted.
 *
 * A member that has proven its identity, by the cluster's secret or a certificate, is dialled at
 * its own address immediately. Any other greeting may be a stranger's: its address counts only
 * while the configured address does not answer. So a stranger cannot redirect the messages of a
 * member that is still at its address.
 */
export class PeerWay {
  readonly id: NodeId
  readonly #open: (address: string, onAttempt: OnAttempt) => PeerLink
  #known: PeerLink
  #heard: PeerLink | undefined
  #isProven = false
  /** Said by who has not proven itself, and not dialled yet. */
  #claim: string | undefined

  constructor(
    id: NodeId,
    address: string,
    open: (address: string, onAttempt: OnAttempt) => PeerLink,
  ) {
    this.id = id
    this.#open = open
    this.#known = this.#dialled(address)
  }

  /** What the configuration says. */
  get known(): string {
    return this.#known.address
  }

  /** Where the connection is, or the configured address when there is none. */
  get address(): string {
    return this.#best.address
  }

  get session(): PeerSession | undefined {
    return this.#best.session
  }

  /** Why there is no connection; undefined when there is one, or an address is still to be tried. */
  get lastError(): string | undefined {
    if (this.session !== undefined) return undefined
    if (this.#heard !== undefined && this.#heard.lastError === undefined) return undefined
    return this.#known.lastError
  }

  /** Undefined when it answers at the address in the configuration, or is not reached elsewhere. */
  get moved(): MovedPeer | undefined {
    const session = this.#heard?.session
    if (session?.isMember !== true) return undefined
    // A host name that leads to it may well stay.
    const host = dialAddress(this.known)?.host ?? ''
    if (this.#known.session !== undefined && parseIp(host) === undefined) return undefined
    return { id: this.id, address: session.address, isProven: this.#isProven }
  }

  dial(): void {
    this.#known.dial()
    this.#heard?.dial()
  }

  /** The configuration has another address of it. */
  moveTo(address: string): void {
    const before = this.#known
    if (this.#heard?.address === address) {
      // The connection stays: only the configured address has changed.
      this.#known = this.#heard
      this.#heard = undefined
      this.#isProven = false
    } else this.#known = this.#dialled(address)
    before.close('its address has changed')
  }

  /** Its greeting says that it can be dialled at `address`. */
  heardAt(address: string, isProven: boolean): void {
    if (!isProven && this.#isProven) return
    if (address === this.known) return this.#forget()
    if (dialAddress(address) === undefined) return
    if (!isProven && this.#known.session !== undefined) return
    if (this.#heard?.address === address) {
      this.#isProven = isProven
      return this.#heard.dial()
    }
    this.#forget()
    this.#isProven = isProven
    if (isProven || this.#known.hasFailed) this.#heard = this.#dialled(address)
    else this.#claim = address
  }

  /** Another server says that it can be dialled at `address`: no reason to leave where it is talked to. */
  toldAt(address: string, isProven: boolean): void {
    if (this.#heard?.session === undefined) this.heardAt(address, isProven)
  }

  /** The connection as soon as one of the attempts under way has led to one. */
  async ready(): Promise<PeerSession> {
    const links = this.#heard === undefined ? [this.#known] : [this.#known, this.#heard]
    try {
      return await Promise.any(links.map((link) => link.ready()))
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error
    }
  }

  close(reason: string): void {
    this.#known.close(reason)
    this.#heard?.close(reason)
  }

  get #best(): PeerLink {
    return this.#known.session === undefined && this.#heard?.session !== undefined
      ? this.#heard
      : this.#known
  }

  #dialled(address: string): PeerLink {
    return this.#open(address, (link, hasOpened) => {
      if (link === this.#heard) return
      if (hasOpened) {
        if (!this.#isProven) this.#forget()
      } else if (this.#claim !== undefined) {
        this.#heard = this.#dialled(this.#claim)
        this.#claim = undefined
      }
    })
  }

  #forget(): void {
    this.#heard?.close('it answers at the address in the configuration')
    this.#heard = undefined
    this.#claim = undefined
    this.#isProven = false
  }
}

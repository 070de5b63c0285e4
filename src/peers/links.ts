import { svcdError } from '../base/errors.ts'
import { PeerLink } from './link.ts'
import { PeerWay } from './way.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { NodeId } from '../raft/entry.ts'
import type { PeerLimits } from './limits.ts'
import type { LinkOptions } from './link.ts'
import type { PeerSession } from './session.ts'
import type { MovedPeer } from './way.ts'

/** A server by its id, or any server at an address. */
export type PeerTarget = { readonly id: NodeId } | { readonly address: string }

export interface LinksParts {
  readonly self: NodeId
  /** Where others dial this server. */
  readonly address: () => string
  readonly limits: PeerLimits
  readonly random: Random
  readonly clock: Clock
  readonly dial: LinkOptions['dial']
  readonly isClosed: () => boolean
}

/**
 * The connections that this server opens: to each of its peers, again and again, and to bare addresses
 * for as long as there are requests to them.
 */
export class PeerLinks {
  readonly #parts: LinksParts
  readonly #peers = new Map<NodeId, PeerWay>()
  readonly #addresses = new Map<string, { link: PeerLink; usedMs: number }>()

  constructor(parts: LinksParts) {
    this.#parts = parts
  }

  get ids(): Iterable<NodeId> {
    return this.#peers.keys()
  }

  /** The way to a peer; undefined if this id is not a peer. */
  to(id: NodeId): PeerWay | undefined {
    return this.#peers.get(id)
  }

  /** Peers that are reached at another address than {@link setPeers} has named. */
  get moved(): readonly MovedPeer[] {
    return [...this.#peers.values()].map((way) => way.moved).filter((moved) => moved !== undefined)
  }

  /** Where peers are reached. */
  get places(): Readonly<Record<NodeId, string>> {
    const ways = [...this.#peers.values()].filter(({ session }) => session?.isMember === true)
    return Object.fromEntries(ways.map(({ id, address }) => [id, address]))
  }

  /** A server says that it can be dialled at `address`. Only peers are dialled. */
  heardAt(id: NodeId, address: string, isProven: boolean): void {
    if (this.#parts.isClosed() || address === this.#parts.address()) return
    this.#peers.get(id)?.heardAt(address, isProven)
  }

  /** The same, but another server says so. */
  toldAt(id: NodeId, address: string, isProven: boolean): void {
    if (this.#parts.isClosed() || address === this.#parts.address()) return
    this.#peers.get(id)?.toldAt(address, isProven)
  }

  /** Dials these, and no others any more; its own id is passed over. */
  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    for (const [id, way] of this.#peers) {
      if (peers.has(id)) continue
      this.#peers.delete(id)
      way.close('this server no longer connects to it')
    }
    if (this.#parts.isClosed()) return
    for (const [id, address] of peers) {
      const way = this.#peers.get(id)
      if (id === this.#parts.self || way?.known === address) continue
      if (way === undefined) this.#peers.set(id, this.#wayTo(id, address))
      else way.moveTo(address)
    }
  }

  /** A connection to `target`. Rejects with `peer-unreachable`, `peer-refuses-connection` or `peer-is-self`. */
  async connected(target: PeerTarget, timeoutMs: number): Promise<PeerSession> {
    const way = 'id' in target ? this.#peers.get(target.id) : this.#toAddress(target.address)
    const peer = 'id' in target ? target.id : target.address
    if (way === undefined || this.#parts.isClosed()) {
      const reason = this.#parts.isClosed()
        ? 'this server is stopping'
        : 'this server does not know it'
      throw svcdError('peer-unreachable', { peer, reason })
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const reason = `no connection within ${timeoutMs} ms`
        reject(svcdError('peer-unreachable', { peer, reason }))
      }, timeoutMs)
    })
    try {
      return await Promise.race([way.ready(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Closes those to bare addresses to which nothing was asked for a while. */
  closeIdle(): void {
    const { clock, limits } = this.#parts
    const nowMs = clock.monotonicMs()
    for (const [address, { link, usedMs }] of this.#addresses) {
      if ((link.session?.rpc.count ?? 0) > 0) continue
      if (nowMs - usedMs < limits.addressIdleMs) continue
      this.#addresses.delete(address)
      link.close('no more requests')
    }
  }

  close(reason: string): void {
    for (const way of this.#peers.values()) way.close(reason)
    for (const { link } of this.#addresses.values()) link.close(reason)
  }

  #toAddress(address: string): PeerLink {
    const usedMs = this.#parts.clock.monotonicMs()
    const link = this.#addresses.get(address)?.link ?? this.#open(address, undefined)
    this.#addresses.set(address, { link, usedMs })
    return link
  }

  #wayTo(id: NodeId, address: string): PeerWay {
    return new PeerWay(id, address, (to, onAttempt) => this.#open(to, id, onAttempt))
  }

  #open(address: string, id: NodeId | undefined, onAttempt?: LinkOptions['onAttempt']): PeerLink {
    const { limits, random, clock, dial } = this.#parts
    const keep = id !== undefined
    return new PeerLink({ address, id, keep, limits, random, clock, dial, onAttempt })
  }
}

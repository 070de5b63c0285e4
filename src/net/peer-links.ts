import { svcdError } from '../base/errors.ts'
import { PeerLink } from './peer-link.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { NodeId } from '../raft/entry.ts'
import type { PeerLimits } from './peer-limits.ts'
import type { LinkOptions } from './peer-link.ts'
import type { PeerSession } from './peer-session.ts'

/** A server by its id, or whoever answers at an address. */
export type PeerTarget = { readonly id: NodeId } | { readonly address: string }

export interface LinksParts {
  readonly self: NodeId
  readonly limits: PeerLimits
  readonly random: Random
  readonly clock: Clock
  readonly dial: LinkOptions['dial']
  readonly isClosed: () => boolean
}

/**
 * Whom this server dials: each of its peers, again and again, and bare addresses for as long as there
 * are requests to them.
 */
export class PeerLinks {
  readonly #parts: LinksParts
  readonly #peers = new Map<NodeId, PeerLink>()
  readonly #addresses = new Map<string, { link: PeerLink; usedMs: number }>()

  constructor(parts: LinksParts) {
    this.#parts = parts
  }

  get ids(): Iterable<NodeId> {
    return this.#peers.keys()
  }

  /** The way to a peer; undefined when this id is none. */
  to(id: NodeId): PeerLink | undefined {
    return this.#peers.get(id)
  }

  /** Dials these, and no others any more; its own id is passed over. */
  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    for (const [id, link] of this.#peers) {
      if (peers.get(id) === link.address) continue
      this.#peers.delete(id)
      link.close('it is no longer dialled here')
    }
    if (this.#parts.isClosed()) return
    for (const [id, address] of peers) {
      if (id === this.#parts.self || this.#peers.has(id)) continue
      this.#peers.set(id, this.#open(address, id))
    }
  }

  /** A connection to `target`. Rejects with `peer-unreachable` or `peer-is-self`. */
  async connected(target: PeerTarget, timeoutMs: number): Promise<PeerSession> {
    const link = 'id' in target ? this.#peers.get(target.id) : this.#toAddress(target.address)
    const peer = 'id' in target ? target.id : target.address
    if (link === undefined || this.#parts.isClosed()) {
      const reason = this.#parts.isClosed()
        ? 'this server is stopping'
        : 'it is not among the servers here'
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
      return await Promise.race([link.ready(), late])
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
    for (const link of this.#peers.values()) link.close(reason)
    for (const { link } of this.#addresses.values()) link.close(reason)
  }

  #toAddress(address: string): PeerLink {
    const usedMs = this.#parts.clock.monotonicMs()
    const link = this.#addresses.get(address)?.link ?? this.#open(address, undefined)
    this.#addresses.set(address, { link, usedMs })
    return link
  }

  #open(address: string, id: NodeId | undefined): PeerLink {
    const { limits, random, clock, dial } = this.#parts
    return new PeerLink({ address, id, keep: id !== undefined, limits, random, clock, dial })
  }
}

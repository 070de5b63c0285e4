import { parseIp } from '../../base/ip.ts'
import type { Logger } from '../../base/log.ts'
import { dialAddress } from '../../peers/address.ts'
import type { MovedPeer } from '../../peers/way.ts'
import { isMember } from '../../raft/config.ts'
import type { Config } from '../../raft/config.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { ConfChange } from '../../raft/membership.ts'
import type { Status } from '../../raft/status.ts'
import type { Duty } from './duty.ts'

export interface MemberMovesParts {
  /** How long a server may be silent before it is taken for dead. */
  readonly silenceMs: number
  /** Returns whether the core has taken it. */
  readonly changeMembers: (change: ConfChange) => boolean
  /** Where others dial this server. */
  readonly address: () => string
  /** Members that this server reaches at another address than the configuration has. */
  readonly moved: () => readonly MovedPeer[]
}

/** Two processes with one id would otherwise write the log full. */
const againMs = 5000

/**
 * Writes the addresses of members into the configuration, as its leader, because a restarted server
 * finds the others by it. Only an address at which that very id was reached counts. A member that
 * was reached without a proof of identity could be a stranger, in the place of a server that is
 * just being restarted. In this case the configured address must not have answered for as long as a
 * server may be silent.
 */
export class MemberMoves implements Duty {
  readonly #parts: MemberMovesParts
  readonly #sinceMs = new Map<string, number>()
  readonly #proposedMs = new Map<NodeId, number>()

  constructor(parts: MemberMovesParts) {
    this.#parts = parts
  }

  check({ id: self, config }: Status, nowMs: number): void {
    const { silenceMs, moved, address } = this.#parts
    const all = [...moved(), { id: self, address: address(), isProven: true }]
    const places = new Set(all.map(placeOf))
    for (const place of this.#sinceMs.keys()) if (!places.has(place)) this.#sinceMs.delete(place)
    for (const peer of all) {
      if (!isElsewhere(peer, config, self)) continue
      const sinceMs = this.#sinceMs.get(placeOf(peer)) ?? nowMs
      this.#sinceMs.set(placeOf(peer), sinceMs)
      if (!peer.isProven && nowMs - sinceMs < silenceMs) continue
      this.#propose(peer, nowMs)
    }
  }

  ended(): void {
    this.#sinceMs.clear()
    this.#proposedMs.clear()
  }

  /** One change at a time: what the core refuses is proposed again. */
  #propose({ id, address }: MovedPeer, nowMs: number): void {
    if (nowMs - (this.#proposedMs.get(id) ?? -Infinity) < againMs) return
    const isTaken = this.#parts.changeMembers({ kind: 'move', id, address })
    if (isTaken) this.#proposedMs.set(id, nowMs)
  }
}

/** Says which members have another address than before. */
export function logMoves(
  before: Config | undefined,
  { addresses }: Config,
  nameOf: (id: NodeId) => string,
  logger: Logger,
): void {
  for (const [id, was] of Object.entries(before?.addresses ?? {})) {
    const address = addresses[id]
    if (address === undefined || address === was) continue
    logger.info({ peer: id, address, was }, `server ${nameOf(id)} has moved`)
  }
}

function placeOf({ id, address }: MovedPeer): string {
  return `${id} ${address}`
}

function isElsewhere({ id, address }: MovedPeer, config: Config, self: NodeId): boolean {
  const known = config.addresses[id]
  if (!isMember(config, id) || known === address) return false
  // A server does not know its own host name, and an operator may have given it one.
  return id !== self || parseIp(dialAddress(known ?? '')?.host ?? '') !== undefined
}

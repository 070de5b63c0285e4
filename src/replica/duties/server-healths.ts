import type { ServerHealth } from '../../ports/cluster.ts'
import { members } from '../../raft/config.ts'
import type { Index, NodeId, Term } from '../../raft/entry.ts'
import type { Status } from '../../raft/status.ts'
import type { Duty } from './duty.ts'

export interface ServerHealthsParts {
  readonly status: () => Status
  /** Of an entry of this server's log; undefined: it is not there any more. */
  readonly termAt: (index: Index) => Term | undefined
  /** Milliseconds since a member was heard, or since this server leads if that is shorter. */
  readonly silenceOf: (id: NodeId) => number
  readonly wallMs: () => number
  readonly silenceMsMax: number
  /** Entries of the log that one may lack. */
  readonly trailingMax: number
}

interface Since {
  readonly isHealthy: boolean
  readonly wallMs: number
}

/** How a leader finds the servers of its cluster, and since when, as Consul's autopilot tells it. */
export class ServerHealths implements Duty {
  readonly #parts: ServerHealthsParts
  readonly #since = new Map<NodeId, Since>()

  constructor(parts: ServerHealthsParts) {
    this.#parts = parts
  }

  /** A few times a second, so that a change is noticed when it happens. */
  check(now: Status): void {
    const ids = members(now.config)
    for (const id of this.#since.keys()) if (!ids.includes(id)) this.#since.delete(id)
    for (const id of ids) this.#judge(id, now)
  }

  ended(): void {
    this.#since.clear()
  }

  /** Every member, in the order of the configuration. Empty when this server does not lead. */
  list(): readonly ServerHealth[] {
    const { status, termAt, silenceOf } = this.#parts
    const now = status()
    if (now.role !== 'leader') return []
    this.check(now)
    return members(now.config).map((id) => {
      const lastIndex = lastIndexOf(id, now)
      const { isHealthy, wallMs } = this.#judge(id, now)
      return {
        id,
        lastContactMs: id === now.id ? 0 : silenceOf(id),
        lastTerm: termAt(lastIndex) ?? 0,
        lastIndex,
        isHealthy,
        stableSinceMs: wallMs,
      }
    })
  }

  #judge(id: NodeId, now: Status): Since {
    const isHealthy = this.#isHealthy(id, now)
    const known = this.#since.get(id)
    if (known?.isHealthy === isHealthy) return known
    const since = { isHealthy, wallMs: this.#parts.wallMs() }
    this.#since.set(id, since)
    return since
  }

  #isHealthy(id: NodeId, now: Status): boolean {
    if (id === now.id) return true
    const { silenceOf, silenceMsMax, trailingMax } = this.#parts
    return silenceOf(id) <= silenceMsMax && now.commit - lastIndexOf(id, now) <= trailingMax
  }
}

function lastIndexOf(id: NodeId, { id: self, lastIndex, peers }: Status): Index {
  return id === self ? lastIndex : (peers.find((peer) => peer.id === id)?.match ?? 0)
}

import { randomUUID } from 'node:crypto'
import type { ServerHealth } from '../../ports/backend.ts'
import type { UpdateCheckCommand } from '../../state/catalog/commands.ts'
import { nodeCheckId, type Status } from '../../state/catalog/model.ts'
import type { CatalogReader } from '../../state/catalog/query.ts'
import { members } from '../../raft/config.ts'
import type { Index, NodeId, Term } from '../../raft/entry.ts'
import type { Status as RaftStatus } from '../../raft/status.ts'
import { MemberMoves } from './member-moves.ts'
import type { MemberMovesParts } from './member-moves.ts'
import { ServerHealths } from './server-healths.ts'
import { trailingEntries } from '../trailing-entries.ts'

export interface LeaderDutiesParts extends MemberMovesParts {
  readonly status: () => RaftStatus
  readonly catalog: CatalogReader
  /** The term of an entry of the log; undefined: it is not there any more. */
  readonly termAt: (index: Index) => Term | undefined
  readonly wallMs: () => number
  readonly propose: (command: UpdateCheckCommand, cause: string) => void
}

/** What the check of a node says. */
const alive = 'Agent alive and reachable'
const dead = 'Agent not live or unreachable'
/** A proposal that is not applied by then was refused, or got lost. */
const againMs = 5000

/** The last proposal about a member, and its time. */
interface Proposed {
  readonly status: Status
  readonly atMs: number
}

/** A leader's own proposal, as JSON. */
export function ownProposal(name: string, body: UpdateCheckCommand, cause: string): string {
  const requestId = `leader-${randomUUID()}`
  return JSON.stringify({ version: 1, requestId, actor: `leader ${name}`, cause, body })
}

/** Servers come and go under new ids. */
const heardMax = 1000

/**
 * The duties of a leader beside replication. It promotes servers that have caught up. It writes the
 * addresses of members into the configuration. It writes members that fall silent or return to the
 * catalog, so that the services of a failed server leave DNS.
 */
export class LeaderDuties {
  readonly #parts: LeaderDutiesParts
  readonly #heardMs = new Map<NodeId, number>()
  readonly #proposed = new Map<NodeId, Proposed>()
  readonly #moves: MemberMoves
  #leadsSinceMs: number | undefined
  readonly #healths: ServerHealths

  constructor(parts: LeaderDutiesParts) {
    this.#parts = parts
    this.#moves = new MemberMoves(parts)
    this.#healths = new ServerHealths({
      ...parts,
      silenceOf: (id) => this.#silenceMs(id),
      silenceMsMax: parts.silenceMs,
      trailingMax: trailingEntries,
    })
  }

  /** Something arrived from a member. */
  heard(id: NodeId): void {
    // Deleted first, so that the one that is silent for longest stands first.
    this.#heardMs.delete(id)
    this.#heardMs.set(id, this.#parts.nowMs())
    if (this.#heardMs.size <= heardMax) return
    for (const [longest] of this.#heardMs) {
      this.#heardMs.delete(longest)
      break
    }
  }

  /** How the members are; empty when this server does not lead. */
  healths(): readonly ServerHealth[] {
    return this.#healths.list()
  }

  /** To be called a few times a second; does nothing on a follower. */
  check(): void {
    const status = this.#parts.status()
    this.#lead(status)
    this.#healths.check(status)
  }

  #lead(status: RaftStatus): void {
    if (status.role !== 'leader') {
      this.#leadsSinceMs = undefined
      this.#proposed.clear()
      this.#moves.clear()
      return
    }
    this.#leadsSinceMs ??= this.#parts.nowMs()
    if (!this.#promote(status)) this.#moves.check(status)
    for (const id of members(status.config)) this.#judge(id, status.id)
  }

  /** One at a time: the core refuses a second change while one is in flight. */
  #promote({ config, peers }: RaftStatus): boolean {
    const ready = peers.find(({ id, isCaughtUp, isActive }) => {
      return config.learners.includes(id) && isCaughtUp && isActive
    })
    if (ready === undefined) return false
    this.#parts.changeMembers({ kind: 'promote', id: ready.id })
    return true
  }

  /**
   * A new leader has not heard from any member yet: silence counts from when it began to listen.
   */
  #silenceMs(id: NodeId): number {
    const nowMs = this.#parts.nowMs()
    return nowMs - Math.max(this.#heardMs.get(id) ?? 0, this.#leadsSinceMs ?? nowMs)
  }

  #judge(id: NodeId, self: NodeId): void {
    const { catalog, nowMs, silenceMs, propose } = this.#parts
    const node = catalog.nodeById(id)
    const check = node === undefined ? undefined : catalog.check(node.name, nodeCheckId)
    if (node === undefined || check === undefined) return
    const isSilent = id !== self && this.#silenceMs(id) > silenceMs
    const wasHeard = id === self || (this.#heardMs.get(id) ?? 0) > (this.#leadsSinceMs ?? 0)
    const status = isSilent ? 'critical' : 'passing'
    if (check.status === status) this.#proposed.delete(id)
    if (check.status === status || (!isSilent && !wasHeard)) return
    // A proposal that is on its way shows in the catalog as soon as it is committed.
    const last = this.#proposed.get(id)
    if (last?.status === status && nowMs() - last.atMs < againMs) return
    this.#proposed.set(id, { status, atMs: nowMs() })
    const output = isSilent ? dead : alive
    propose(
      { kind: 'update-check', nodeName: node.name, checkId: nodeCheckId, status, output },
      isSilent ? `silent for ${silenceMs} ms` : 'heard again',
    )
  }
}

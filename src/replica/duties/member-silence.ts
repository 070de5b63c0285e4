import { randomUUID } from 'node:crypto'
import { Deadlines } from '../../base/deadlines.ts'
import { members } from '../../raft/config.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { Status as RaftStatus } from '../../raft/status.ts'
import { nodeCheckId, type Status } from '../../state/catalog/model.ts'
import type { CatalogReader } from '../../state/catalog/query.ts'
import type { Duty, OwnCommand } from './duty.ts'

export interface MemberSilenceParts {
  readonly nowMs: () => number
  readonly catalog: CatalogReader
  /** How long a server may be silent before it is taken for dead. */
  readonly silenceMs: number
  readonly propose: (command: OwnCommand, cause: string) => void
}

/** What the check of a node says. */
const alive = 'Agent alive and reachable'
const dead = 'Agent not live or unreachable'
/** A proposal that is not applied by then was refused, or got lost. */
const againMs = 5000
/** Servers come and go under new ids. */
const heardMax = 1000

/** The last proposal about a member, and its time. */
interface Proposed {
  readonly status: Status
  readonly atMs: number
}

/** A leader's own proposal, as JSON. */
export function ownProposal(name: string, body: OwnCommand, cause: string): string {
  const requestId = `leader-${randomUUID()}`
  return JSON.stringify({ version: 1, requestId, actor: `leader ${name}`, cause, body })
}

/**
 * Writes members that fall silent or return to the catalog (`serfHealth`), so that the services of a failed
 * server leave DNS.
 */
export class MemberSilence implements Duty {
  readonly #parts: MemberSilenceParts
  readonly #heardMs = new Map<NodeId, number>()
  readonly #proposed = new Map<NodeId, Proposed>()
  #deadlines: Deadlines<NodeId> | undefined
  #watched: readonly NodeId[] = []
  /** Members whose deadline has passed. */
  readonly #silent = new Set<NodeId>()
  #leadsSinceMs: number | undefined

  constructor(parts: MemberSilenceParts) {
    this.#parts = parts
  }

  /** Something arrived from a member. */
  heard(id: NodeId): void {
    // Deleted first, so that the one that is silent for longest stands first.
    this.#heardMs.delete(id)
    const nowMs = this.#parts.nowMs()
    this.#heardMs.set(id, nowMs)
    this.#deadlines?.renew(id, nowMs)
    if (this.#silent.delete(id)) this.#deadlines?.set(id, this.#parts.silenceMs, nowMs)
    if (this.#heardMs.size <= heardMax) return
    for (const [longest] of this.#heardMs) {
      this.#heardMs.delete(longest)
      break
    }
  }

  /** A new leader has not heard any member yet: silence counts from when it began to listen. */
  silenceMs(id: NodeId): number {
    const nowMs = this.#parts.nowMs()
    return nowMs - Math.max(this.#heardMs.get(id) ?? 0, this.#leadsSinceMs ?? nowMs)
  }

  started(_status: RaftStatus, nowMs: number): void {
    this.#leadsSinceMs = nowMs
    this.#deadlines = new Deadlines(nowMs)
    this.#silent.clear()
  }

  check({ id: self, config }: RaftStatus, nowMs: number): void {
    const ids = members(config)
    this.#watch(
      ids.filter((id) => id !== self),
      nowMs,
    )
    for (const id of this.#deadlines?.due(nowMs) ?? []) this.#silent.add(id)
    for (const id of ids) this.#judge(id, self, nowMs)
  }

  ended(): void {
    this.#leadsSinceMs = undefined
    this.#deadlines = undefined
    this.#silent.clear()
    this.#watched = []
    this.#proposed.clear()
  }

  /** Members come and go. Without an `extraMs`: members say something twice a second to all others. */
  #watch(ids: readonly NodeId[], nowMs: number): void {
    for (const id of ids) {
      if (!this.#watched.includes(id)) this.#deadlines?.set(id, this.#parts.silenceMs, nowMs)
    }
    for (const id of this.#watched) {
      if (ids.includes(id)) continue
      this.#deadlines?.remove(id)
      this.#silent.delete(id)
    }
    this.#watched = ids
  }

  #judge(id: NodeId, self: NodeId, nowMs: number): void {
    const { catalog, silenceMs, propose } = this.#parts
    const node = catalog.nodeById(id)
    const check = node === undefined ? undefined : catalog.check(node.name, nodeCheckId)
    if (node === undefined || check === undefined) return
    const isSilent = this.#silent.has(id)
    const wasHeard = id === self || (this.#heardMs.get(id) ?? 0) > (this.#leadsSinceMs ?? 0)
    const status = isSilent ? 'critical' : 'passing'
    if (check.status === status) this.#proposed.delete(id)
    if (check.status === status || (!isSilent && !wasHeard)) return
    // A proposal that is on its way shows in the catalog as soon as it is committed.
    const last = this.#proposed.get(id)
    if (last?.status === status && nowMs - last.atMs < againMs) return
    this.#proposed.set(id, { status, atMs: nowMs })
    const output = isSilent ? dead : alive
    propose(
      {
        kind: 'update-check',
        nodeName: node.name,
        checkId: nodeCheckId,
        status,
        evidence: isSilent ? 'absence' : '',
        output,
      },
      isSilent ? `silent for ${silenceMs} ms` : 'heard again',
    )
  }
}

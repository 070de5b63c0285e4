import { SvcdError, reasonOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { PlacedSums } from '../../state/machine/apply.ts'
import { members } from '../../raft/config.ts'
import type { Index, NodeId } from '../../raft/entry.ts'
import type { Status } from '../../raft/status.ts'
import type { Duty } from './duty.ts'
import { MemberFormats } from './member-formats.ts'

/** What a server says of its state: sums of its tables at some entries, which a format gives meaning. */
export interface StateReport {
  readonly format: number
  readonly sums: readonly PlacedSums[]
}

export type Verdict =
  /** No other server has sums at an entry at which this server has some. */
  | { readonly kind: 'incomparable' }
  | { readonly kind: 'equal'; readonly index: Index; readonly of: number }
  /** Most servers have `text`, and `ids` have not. */
  | {
      readonly kind: 'odd'
      readonly index: Index
      readonly text: string
      readonly ids: readonly NodeId[]
    }
  /** They differ, and no state is that of most servers. */
  | { readonly kind: 'undecided'; readonly index: Index; readonly ids: readonly NodeId[] }

/**
 * Compares at the newest of the entries at which the most servers have sums. `serverCount`: of all
 * members, those that did not answer as well: the right state is the one that more than half have.
 */
export function compareReports(
  reports: ReadonlyMap<NodeId, readonly PlacedSums[]>,
  serverCount: number,
): Verdict {
  const at = new Map<Index, Map<NodeId, string>>()
  for (const [id, sums] of reports) {
    for (const { index, text } of sums) {
      const texts = at.get(index) ?? new Map<NodeId, string>()
      at.set(index, texts.set(id, text))
    }
  }
  const best = [...at].toSorted(([a, as], [b, bs]) => bs.size - as.size || b - a)[0]
  if (best === undefined || best[1].size < 2) return { kind: 'incomparable' }
  const [index, texts] = best
  const counts = new Map<string, number>()
  for (const text of texts.values()) counts.set(text, (counts.get(text) ?? 0) + 1)
  if (counts.size === 1) return { kind: 'equal', index, of: texts.size }
  const right = [...counts].find(([, count]) => count * 2 > serverCount)?.[0]
  if (right === undefined) return { kind: 'undecided', index, ids: [...texts.keys()] }
  const odd = [...texts].filter(([, text]) => text !== right)
  return { kind: 'odd', index, text: right, ids: odd.map(([id]) => id) }
}

export interface ReplicaComparisonParts {
  readonly status: () => Status
  /** The format of this server's state. */
  readonly format: number
  /** Throws when its state is known to be damaged. */
  readonly own: () => StateReport
  readonly ask: <T>(id: NodeId, kind: string, body: unknown) => Promise<T>
  /** This server's own state is the odd one. */
  readonly onOdd: (told: PlacedSums) => void
  readonly logger: Logger
  readonly nowMs: () => number
}

const everyMs = 10_000
/** How often members are asked whose format is not known, or older than this server's. */
const formatMs = 1000
const remindMs = 600_000

/**
 * Compares the states of all servers at one entry, and tells the one that differs
 * from most, which rebuilds its own. Servers of a release that does not know the question are left alone.
 */
export class ReplicaComparison implements Duty {
  readonly #parts: ReplicaComparisonParts
  /** What the other members have reported. */
  readonly formats = new MemberFormats()
  #lookedAtMs = -Infinity
  #askedAtMs = -Infinity
  #remindedAtMs = -Infinity
  /** The last entry at which all servers were compared. */
  #comparedAt = 0
  #isAsking = false
  /** Members that have been asked for their format, and have not reported the present one. */
  #asked: ReadonlySet<NodeId> = new Set()
  #undecided = 0

  constructor(parts: ReplicaComparisonParts) {
    this.#parts = parts
  }

  /** How many times the states differed and no majority said which one is right, since the start. */
  get undecided(): number {
    return this.#undecided
  }

  /** Compares nothing while nothing is applied. */
  check({ id: self, applied, config }: Status, nowMs: number): void {
    const others = members(config).filter((id) => id !== self)
    this.formats.keep(others)
    const isDue = applied !== this.#comparedAt && nowMs - this.#askedAtMs >= everyMs
    if (isDue && !this.#isAsking) void this.compare()
    else this.#learnFormats(others, nowMs)
  }

  /** Asks members that are new, or of an older release: these may have been upgraded. */
  #learnFormats(others: readonly NodeId[], nowMs: number): void {
    const unknown = this.formats.missing(this.#parts.format, others)
    if (unknown.length === 0) return
    const isNew = unknown.some((id) => !this.#asked.has(id))
    if (!isNew && nowMs - this.#lookedAtMs < formatMs) return
    this.#lookedAtMs = nowMs
    this.#asked = new Set(unknown)
    for (const id of unknown) void this.#report(id)
  }

  /** Undefined: it is down, rebuilds its state, or does not know the question. */
  async #report(id: NodeId): Promise<StateReport | undefined> {
    try {
      const report = await this.#parts.ask<StateReport>(id, 'state-sums', null)
      if (Number.isSafeInteger(report.format)) this.formats.note(id, report.format)
      return report
    } catch {
      return undefined
    }
  }

  async compare(): Promise<void> {
    const { status, nowMs, logger } = this.#parts
    this.#askedAtMs = nowMs()
    this.#isAsking = true
    try {
      const { config } = status()
      const ids = members(config)
      const reports = await this.#reports(ids)
      // A server that was deposed in the time between reports nothing.
      if (status().role === 'leader')
        await this.#act(compareReports(reports, ids.length), ids.length)
    } catch (error) {
      logger.debug({ reason: reasonOf(error) }, 'cannot compare the states of the servers')
    } finally {
      this.#isAsking = false
    }
  }

  async #reports(ids: readonly NodeId[]): Promise<Map<NodeId, readonly PlacedSums[]>> {
    const { status, own } = this.#parts
    const { id: self } = status()
    const answers = await Promise.all(
      ids.filter((id) => id !== self).map(async (id) => [id, await this.#report(id)] as const),
    )
    // Taken last: what a follower has applied, its leader has had the time to apply as well.
    const { format, sums } = own()
    const reports = new Map([[self, sums]])
    for (const [id, report] of answers) {
      if (report?.format === format) reports.set(id, report.sums)
    }
    return reports
  }

  async #act(verdict: Verdict, serverCount: number): Promise<void> {
    const { status, ask, onOdd, logger } = this.#parts
    if (verdict.kind === 'equal' && verdict.of === serverCount) this.#comparedAt = verdict.index
    if (verdict.kind === 'undecided') return this.#remind(verdict)
    if (verdict.kind !== 'odd') return
    const { index, text, ids } = verdict
    for (const id of ids) {
      logger.error(
        { id, index },
        `the state of server ${id} differs from most servers at entry ${index}: that server must rebuild it`,
      )
      if (id === status().id) onOdd({ index, text })
      else
        await ask(id, 'state-differs', { index, text }).catch((error: unknown) =>
          this.#failed(id, error),
        )
    }
  }

  #failed(id: NodeId, error: unknown): void {
    // It still differs, and is reported again.
    const reason = error instanceof SvcdError ? error.message : reasonOf(error)
    this.#parts.logger.warn({ id, reason }, 'cannot tell a server that its state differs')
  }

  #remind({ index, ids }: { readonly index: Index; readonly ids: readonly NodeId[] }): void {
    const { nowMs, logger } = this.#parts
    this.#undecided++
    if (nowMs() - this.#remindedAtMs < remindMs) return
    this.#remindedAtMs = nowMs()
    logger.error(
      { index, servers: ids },
      `the states of the servers differ at entry ${index}, and no majority shows which state is correct: all servers keep running. Compare them, and replace the server that is wrong.`,
    )
  }
}

import type { NodeId } from '../../raft/entry.ts'

/** The formats of state that the other members have reported, each the last that a member has said. */
export class MemberFormats {
  readonly #formats = new Map<NodeId, number>()

  note(id: NodeId, format: number): void {
    this.#formats.set(id, format)
  }

  /** The members that have reported an older format than `format`. */
  older(format: number): readonly NodeId[] {
    const older: NodeId[] = []
    for (const [id, reported] of this.#formats) if (reported < format) older.push(id)
    return older
  }

  /** Of `ids`, those, and the ones that have reported nothing. */
  missing(format: number, ids: readonly NodeId[]): readonly NodeId[] {
    return ids.filter((id) => (this.#formats.get(id) ?? 0) < format)
  }

  /** Forgets servers that are not members any more. */
  keep(ids: readonly NodeId[]): void {
    for (const id of this.#formats.keys()) if (!ids.includes(id)) this.#formats.delete(id)
  }
}

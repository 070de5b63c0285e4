import { reasonOf, svcdError } from '../../base/errors.ts'
import { describePeer, printable } from '../../peers/hello.ts'
import type { PeerAsking } from '../../peers/options.ts'
import type { PeerNotices } from '../../process/peer-notices.ts'
import { emptyConfig, isMember } from '../../raft/config.ts'
import type { NodeId } from '../../raft/entry.ts'
import { mustTakePart } from './operations.ts'
import type { Asker, PeerRequestRow } from './peer-request-row.ts'
import { peerRequestRows } from './peer-request-rows.ts'
import type { AnswerParts } from './peer-request-rows.ts'

export interface PeerRequestsParts extends Omit<AnswerParts, 'isMember'> {
  /** Where refusals are said. */
  readonly notices: PeerNotices
}

/** Answers other servers by the rows of their requests: what each one is, and who may ask it. */
export class PeerRequests {
  readonly #parts: PeerRequestsParts
  readonly #rows: ReadonlyMap<string, PeerRequestRow>

  constructor(parts: PeerRequestsParts) {
    this.#parts = parts
    const rows = peerRequestRows({ ...parts, isMember: (id) => this.#isMember(id) })
    this.#rows = new Map(rows.map((row) => [row.kind, row]))
  }

  /** Rejects with an error of the table; it travels to who asked. */
  async answer(from: PeerAsking, kind: string, body: Buffer): Promise<Buffer> {
    const row = this.#rows.get(kind)
    if (row === undefined) throw svcdError('unknown-request', { kind })
    const refuse = (reason: string): Error => this.#refuse(from, kind, reason)
    const asker = { from, isMember: this.#isMember(from.id), refuse }
    const asked = checked(row, asker, body)
    if (row.leaderOnly === true) this.#mustLead()
    return Buffer.from(JSON.stringify(await row.answer(asked, asker)))
  }

  #isMember(id: NodeId): boolean {
    return isMember(this.#parts.raft()?.driver.raft.state.config ?? emptyConfig, id)
  }

  #mustLead(): void {
    if (!mustTakePart(this.#parts.raft()).isLeader) throw svcdError('no-leader', {})
  }

  #refuse(from: PeerAsking, kind: string, reason: string): Error {
    const text = `refusing the request "${kind}" from ${describePeer(from)}: ${printable(reason)}`
    this.#parts.notices.warn(from.id, `${kind} ${reason}`, { peer: from.id, kind }, text)
    return svcdError('peer-refused', { kind, reason })
  }
}

/** Returns the parsed body when it has its shape and its asker may ask it; throws otherwise. */
function checked(row: PeerRequestRow, asker: Asker, body: Buffer): unknown {
  const { from, isMember: isOurs, refuse } = asker
  if (!from.isMember && row.who === 'member') throw refuse('it is not in a cluster')
  let asked: unknown
  try {
    asked = row.read === undefined ? JSON.parse(body.toString()) : row.read(body)
  } catch (error) {
    throw refuse(reasonOf(error))
  }
  if (!row.shape(asked)) throw refuse('the request is malformed')
  if (row.who === 'member' && !isOurs && row.mayAskAnyway?.(asked, from) !== true) {
    throw refuse('it is not a member of this cluster')
  }
  return asked
}

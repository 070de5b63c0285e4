import { SnapshotReceiver } from './receiver.ts'
import { SnapshotSender } from './sender.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { SnapshotRequest } from '../../raft/message.ts'
import type { PeerLimits } from '../limits.ts'
import type { PeerNotices } from '../../process/peer-notices.ts'
import type { PeerSession } from '../session.ts'
import type { SnapshotFiles } from './transfer.ts'

/** Servers whose last failure is remembered. */
const saidMax = 1000

export interface SnapshotsParts {
  readonly limits: PeerLimits
  readonly files: SnapshotFiles
  readonly self: NodeId
  readonly notices: PeerNotices
  readonly dial: (id: NodeId) => Promise<PeerSession>
  readonly onReceived: (request: SnapshotRequest) => void
  readonly onSent: (id: NodeId, ok: boolean) => void
}

/** The snapshots under way, at most one to and one from each server. */
export class PeerSnapshots {
  readonly #parts: SnapshotsParts
  readonly #senders = new Map<NodeId, { sender: SnapshotSender; ended: Promise<void> }>()
  readonly #receivers = new Map<NodeId, SnapshotReceiver>()
  /** The last failure said of each server and direction: it is said once, however often it is tried. */
  readonly #said = new Map<string, string>()
  #isClosed = false

  constructor(parts: SnapshotsParts) {
    this.#parts = parts
  }

  /** Begins to send; one to the same server that is under way is given up. */
  send(request: SnapshotRequest): void {
    if (this.#isClosed) return
    const { limits, files, dial, onSent } = this.#parts
    const id = request.to
    this.#senders.get(id)?.sender.cancel()
    const sender = new SnapshotSender(request, {
      limits,
      files,
      dial: () => dial(id),
      onAttemptFailed: (attempt, reason) => {
        const text = `cannot send the snapshot of entry ${request.snapshot.index} to ${id}: ${reason}`
        this.#warn(`to ${id}`, reason, { peer: id, attempt }, text)
      },
    })
    const ended = sender.run().then((ok) => {
      if (this.#senders.get(id)?.sender === sender) this.#senders.delete(id)
      if (ok === true) this.#said.delete(`to ${id}`)
      if (ok !== undefined) onSent(id, ok)
    })
    this.#senders.set(id, { sender, ended })
  }

  /** Takes what a server sends over this connection, opened for a snapshot. */
  accept(session: PeerSession): void {
    const { limits, files, self, onReceived } = this.#parts
    const from = session.peer?.id ?? ''
    const earlier = this.#receivers.get(from)
    earlier?.stop('the sender has started again')
    const receiver = new SnapshotReceiver(session, {
      limits,
      files,
      self,
      previous: earlier?.ended ?? Promise.resolve(),
      onReceived: (request) => {
        this.#said.delete(`from ${from}`)
        onReceived(request)
      },
      onFailed: (reason) => {
        const text = `cannot receive a snapshot from ${session.name}: ${reason}`
        this.#warn(`from ${from}`, reason, { peer: from }, text)
      },
    })
    this.#receivers.set(from, receiver)
    void receiver.ended.then(() => {
      if (this.#receivers.get(from) === receiver) this.#receivers.delete(from)
    })
  }

  #warn(peer: string, reason: string, fields: object, text: string): void {
    // A snapshot has its index in its name: when the next one fails in the same way, that is not
    // new.
    const alike = reason.replaceAll(/\d+/g, '#')
    if (this.#said.get(peer) === alike) return
    if (this.#said.size >= saidMax) this.#said.clear()
    this.#said.set(peer, alike)
    this.#parts.notices.warn(peer, `snapshot ${reason}`, fields, text)
  }

  /** Settles when no file is open any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    const senders = [...this.#senders.values()]
    for (const { sender } of senders) sender.cancel()
    const receivers = [...this.#receivers.values()]
    for (const receiver of receivers) receiver.stop('this server is stopping')
    await Promise.all([...senders, ...receivers].map(({ ended }) => ended))
  }
}

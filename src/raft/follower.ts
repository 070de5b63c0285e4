import type { Index, NodeId } from './entry.ts'
import type { AppendRequest, Heartbeat, SnapshotRequest } from './message.ts'
import type { RaftState } from './state.ts'

/** The receiver's side of AppendEntries (§5.3) and InstallSnapshot (§7). */
export class Follower {
  readonly #state: RaftState

  constructor(state: RaftState) {
    this.#state = state
  }

  handleAppend(message: AppendRequest): void {
    const { log } = this.#state
    this.#state.hearLeader(message.from)
    if (message.prevIndex < log.commit) {
      // Late or repeated: committed entries always match.
      this.#accept(message.from, log.commit)
    } else if (this.isConsistent(message)) {
      this.#accept(message.from, this.#take(message))
    } else {
      this.#refuse(message)
    }
  }

  /** The consistency check (§5.3): the entry before the new ones is here, with the same term. */
  isConsistent({ prevIndex, prevTerm }: AppendRequest): boolean {
    return this.#state.log.matches(prevIndex, prevTerm)
  }

  /** What the leader has committed, as far as this message shows that the logs match. */
  commitAfter({ commit }: AppendRequest, lastNew: Index): Index {
    return Math.min(commit, lastNew)
  }

  handleHeartbeat({ from, term, commit, readToken }: Heartbeat): void {
    this.#state.hearLeader(from)
    this.#state.commitTo(commit)
    this.#state.send({ type: 'heartbeat-response', to: from, term, readToken })
  }

  handleSnapshot({ from, snapshot }: SnapshotRequest): void {
    const { log } = this.#state
    this.#state.hearLeader(from)
    if (snapshot.index <= log.commit) {
      this.#accept(from, log.commit)
    } else if (log.matches(snapshot.index, snapshot.term)) {
      // §7: entries behind a snapshot that the log already agrees with are kept.
      this.#state.commitTo(snapshot.index)
      this.#accept(from, snapshot.index)
    } else {
      log.restore(snapshot)
      this.#state.configs.reset({ index: snapshot.confIndex, config: snapshot.config })
      this.#state.settleVouched()
      this.#accept(from, snapshot.index)
    }
  }

  /** Tells the leader of a term that is over that it is over. */
  refuseLowerTerm(to: NodeId): void {
    const { term } = this.#state
    const nothing = { index: 0, hintIndex: 0, hintTerm: 0 }
    this.#state.send({ type: 'append-response', to, term, rejected: true, ...nothing })
  }

  #take(message: AppendRequest): Index {
    const { log, configs } = this.#state
    const { added, cutFrom } = log.merge(message.entries)
    // §6: a server goes back to the configuration before when the entry of the newer one is cut.
    if (cutFrom !== undefined) configs.truncateFrom(cutFrom)
    for (const entry of added) if (entry.kind === 'config') configs.append(entry)
    this.#state.settleVouched()
    const lastNew = message.prevIndex + message.entries.length
    this.#state.commitTo(this.commitAfter(message, lastNew))
    return lastNew
  }

  #accept(to: NodeId, index: Index): void {
    const { term } = this.#state
    const hints = { hintIndex: 0, hintTerm: 0 }
    this.#state.send({ type: 'append-response', to, term, index, rejected: false, ...hints })
  }

  #refuse({ from, prevIndex, prevTerm }: AppendRequest): void {
    const { term, log } = this.#state
    const hint = log.findConflictByTerm(prevIndex, prevTerm)
    const hints = { hintIndex: hint.index, hintTerm: hint.term }
    this.#state.send({
      type: 'append-response',
      to: from,
      term,
      index: prevIndex,
      rejected: true,
      ...hints,
    })
  }
}

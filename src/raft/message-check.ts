import { decodeConfig, isConfig } from './config.ts'
import type { Entry } from './entry.ts'
import type { Message } from './message.ts'
import type { SnapshotMeta } from './storage.ts'

/**
 * True when a message can come from a correct peer at all. What fails here is ignored as `malformed`:
 * a peer's defect must neither enter the log nor end this process.
 */
export function isWellFormed(message: Message): boolean {
  if (!isCount(message.term) || message.term === 0) return false
  switch (message.type) {
    case 'pre-vote-request':
    case 'vote-request':
      return (
        isCount(message.lastIndex) && isCount(message.lastTerm) && message.lastTerm <= message.term
      )
    case 'append-request':
      return (
        isCount(message.prevIndex) &&
        isCount(message.prevTerm) &&
        isCount(message.commit) &&
        areConsecutive(message.entries, message)
      )
    case 'append-response':
      return isCount(message.index) && isCount(message.hintIndex) && isCount(message.hintTerm)
    case 'heartbeat':
      return isCount(message.commit) && isCount(message.readToken)
    case 'heartbeat-response':
      return isCount(message.readToken)
    case 'snapshot-request':
      return isSnapshot(message.snapshot, message.term)
    case 'read-request':
      return isCount(message.id)
    case 'read-response':
      return isCount(message.id) && isCount(message.index)
    case 'pre-vote-response':
    case 'vote-response':
    case 'timeout-now':
      return true
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

interface Position {
  readonly prevIndex: number
  readonly prevTerm: number
  readonly term: number
}

/** Indexes without a gap from `prevIndex`; terms that never fall, and never exceed the sender's. */
function areConsecutive(entries: readonly Entry[], after: Position): boolean {
  let { prevIndex: index, prevTerm: term } = after
  if (term > after.term) return false
  for (const entry of entries) {
    if (entry.index !== index + 1 || entry.term < term || entry.term > after.term) return false
    if (entry.term === 0) return false
    if (entry.kind === 'config' && decodeConfig(entry.data) === undefined) return false
    index = entry.index
    term = entry.term
  }
  return true
}

function isSnapshot(meta: SnapshotMeta, term: number): boolean {
  return (
    isCount(meta.index) &&
    isCount(meta.term) &&
    isCount(meta.confIndex) &&
    meta.index > 0 &&
    meta.term <= term &&
    meta.confIndex <= meta.index &&
    isConfig(meta.config)
  )
}

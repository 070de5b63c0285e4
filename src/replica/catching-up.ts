import { setTimeout as sleep } from 'node:timers/promises'
import type { RaftServer } from './raft-server.ts'
import { tickMs } from './replica-ticker.ts'

/**
 * Resolves with true when a read barrier holds, which proves that everything its leader had committed is
 * applied here; with false when `isOver` first.
 */
export async function untilCaughtUp(raft: RaftServer, isOver: () => boolean): Promise<boolean> {
  while (!isOver()) {
    const isHeld = raft.readBarrier()
    raft.turn()
    if (await isHeld) return !isOver()
    // A server that may not read says so immediately.
    await sleep(tickMs)
  }
  return false
}

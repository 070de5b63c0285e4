import { setTimeout as sleep } from 'node:timers/promises'
import type { RaftServer } from './raft-server.ts'
import { tickMs } from './replica-ticker.ts'

/**
 * Calls `onHeld` when a read barrier holds, which proves that everything its leader had committed is
 * applied here; not when `isOver` first.
 */
export async function untilCaughtUp(
  raft: RaftServer,
  isOver: () => boolean,
  onHeld: () => void,
): Promise<void> {
  while (!isOver()) {
    const isHeld = raft.readBarrier()
    raft.turn()
    if (await isHeld) return isOver() ? undefined : onHeld()
    // A server that may not read says so immediately.
    await sleep(tickMs)
  }
}

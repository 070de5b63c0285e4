/**
 * How many ticks to deliver after `elapsedMs` without any. After a stall, more than two ticks long,
 * at most half an election time-out of them, and only when the sockets have been drained: a follower
 * must read the heartbeats that wait for it before it may campaign.
 */
export function ticksDue(time: {
  elapsedMs: number
  tickMs: number
  electionTicks: number
}): number {
  const ticks = Math.floor(time.elapsedMs / time.tickMs)
  return ticks <= 2 ? ticks : Math.min(ticks, Math.floor(time.electionTicks / 2))
}

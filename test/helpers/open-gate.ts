import { silentLogger } from '../../src/base/log.ts'
import { ConnectionBudget } from '../../src/net/connection-budget.ts'
import type { PortLimits } from '../../src/net/connection-budget.ts'
import { ConnectionGate } from '../../src/net/connection-gate.ts'
import { PeerNotices } from '../../src/net/peer-notices.ts'

/** A gate with room for 1,000 connections, or as many as said. */
export function openGate(limits: Partial<PortLimits> = {}): ConnectionGate {
  const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }
  return new ConnectionGate({
    what: 'test',
    budget: new ConnectionBudget(limits.openMax ?? 1000).port({
      openMax: 1000,
      perAddressMax: Infinity,
      perLocalAddressMax: Infinity,
      atAddressMax: 'displace',
      ...limits,
    }),
    notices: new PeerNotices(silentLogger, clock),
  })
}

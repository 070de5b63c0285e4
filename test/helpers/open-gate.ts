import { silentLogger } from '../../src/base/log.ts'
import { ConnectionBudget } from '../../src/net/connections/budget.ts'
import type { PortLimits } from '../../src/net/connections/budget.ts'
import { ConnectionGate } from '../../src/net/connections/gate.ts'
import { PeerNotices } from '../../src/process/peer-notices.ts'

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

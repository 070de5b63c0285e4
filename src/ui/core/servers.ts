import type { OperatorHealth, ServerHealth } from '../../client/rows.ts'
import { counted } from './text.ts'
import type { Health } from './health.ts'

/** How a server is, for its mark. */
export function healthOfServer({ Healthy, SerfStatus }: ServerHealth): Health {
  if (Healthy) return 'passing'
  return SerfStatus === 'none' ? 'unknown' : 'critical'
}

/** How many entries of the log a server lacks; undefined: not known. */
export function lagOf(server: ServerHealth, { Servers }: OperatorHealth): number | undefined {
  if (server.LastIndex === 0) return undefined
  return Math.max(0, ...Servers.map(({ LastIndex }) => LastIndex)) - server.LastIndex
}

/** How many servers may fail until the cluster cannot write. */
export function toleranceText({ FailureTolerance: count }: OperatorHealth): string {
  return count === 0 ? 'no server may fail' : `${counted(count, 'server')} may fail`
}

/** `leader`, `voter`, or `learner`: it has no vote yet. */
export function roleOf({ Leader, Voter }: ServerHealth): string {
  if (Leader) return 'leader'
  return Voter ? 'voter' : 'learner'
}

/** When it was heard last, as text; '' when it is not known. */
export function contactText({ Leader, LastContact }: ServerHealth): string {
  if (Leader) return ''
  return LastContact.startsWith('-') ? '' : `${LastContact} ago`
}

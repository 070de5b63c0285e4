import type { FastifyRequest } from 'fastify'
import type { Clock } from '../base/clock.ts'
import type { Audit, AuditedRequest } from '../ports/audit.ts'
import type { Tokens } from '../ports/tokens.ts'
import { isChange } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { hideSecrets } from './hide-secrets.ts'
import { operationIdOf } from './operation.ts'
import { addressOf } from './origin.ts'
import { parameter, parametersOf } from './parameters.ts'
import type { RowWatch } from './row-watch.ts'
import { TokenBuckets } from './token-buckets.ts'

const forbidden = 403
/** More denied requests than these are counted. */
const deniedRate = { perSecond: 100, burst: 1000 }
/** Of an argument or a parameter. */
const textMax = 256

/**
 * Records requests in the audit log: denied ones, and operations that are not commands of the log.
 * Refuses changes while the audit log is required and cannot be written.
 */
export function auditWatch(audit: Audit, clock: Clock, tokens: Tokens): RowWatch {
  const denials = new TokenBuckets(deniedRate)
  return {
    before: (row, { method }) => {
      if (!isChange(row, method)) return
      const refusal = audit.refusal()
      if (refusal !== undefined) throw refusal
    },
    after: (row, request, argument, status) => {
      if (row.audited === undefined && status !== forbidden) return
      if (status === forbidden && denials.take('', clock.monotonicMs()) > 0) {
        audit.leaveOut()
        return
      }
      audit.record({
        timeMs: clock.wallMs(),
        operation: operationIdOf(request.method, row),
        address: addressOf(request),
        accessor: request.requester?.accessorId,
        target: targetOf(row, request, argument, tokens),
        outcome: outcomeOf(status),
        status,
      })
    },
  }
}

function outcomeOf(status: number | undefined): AuditedRequest['outcome'] {
  if (status === undefined) return 'unknown'
  if (status === forbidden) return 'denied'
  return status < 400 ? 'done' : 'failed'
}

function targetOf(
  { path, audited }: Endpoint<never>,
  request: FastifyRequest,
  argument: string,
  tokens: Tokens,
): Readonly<Record<string, string>> {
  const target: Record<string, string> = {}
  const [, name] = /\{(\w+)\}/.exec(path) ?? []
  if (name !== undefined) target[name] = hideSecrets(argument, tokens).slice(0, textMax)
  for (const each of audited?.parameters ?? []) {
    const value = parameter(parametersOf(request), each)
    if (value !== undefined) target[each] = hideSecrets(value, tokens).slice(0, textMax)
  }
  return target
}

import type { AggregatedStatus } from '../../../health/judge.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'

/** The check that decided about an instance, or about a node. */
export interface Reason {
  readonly node: string
  readonly checkId: string
  readonly status: AggregatedStatus
}

/** Of an output only the first characters are shown in a list. */
const outputMax = 240

const ranks = { passing: 0, maintenance: 1, warning: 2, critical: 3 } as const

/** Whether a status explains more than `other`: maintenance is what somebody wanted. */
export function isWorse(status: AggregatedStatus, other: AggregatedStatus = 'passing'): boolean {
  return ranks[status] > ranks[other]
}

/** As a summary says it; null when all is well. */
export function reasonJson(catalog: CatalogReader, reason: Reason | undefined): object | null {
  if (reason === undefined) return null
  const { node, checkId, status } = reason
  const check = catalog.check(node, checkId)
  return {
    Node: node,
    CheckID: checkId,
    Status: status,
    Output: (check?.output || check?.notes || '').slice(0, outputMax),
    ModifyIndex: check?.modifyIndex ?? 0,
  }
}

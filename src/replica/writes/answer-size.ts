import type { ProposalResult } from './proposals.ts'

/** Of long outcomes in one answer, in bytes. A single one has less, and a frame takes more. */
const longBytesMax = 3 * 1024 * 1024

/**
 * The results that fit into one answer. In the place of each other one stands `not-leader`: the server that
 * asked proposes it again with the same request ID, and is told what it has come to.
 */
export function fittingResults(
  results: readonly ProposalResult[],
  bytesMax = longBytesMax,
): readonly ProposalResult[] {
  let bytes = 0
  return results.map((result) => {
    const value = result.kind === 'applied' && result.outcome.ok ? result.outcome.value : undefined
    // All others are short.
    if (typeof value !== 'object') return result
    bytes += Buffer.byteLength(JSON.stringify(value))
    return bytes <= bytesMax ? result : { kind: 'not-leader' }
  })
}

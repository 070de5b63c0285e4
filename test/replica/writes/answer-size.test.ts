import t from 'tap'
import { fittingResults } from '../../../src/replica/writes/answer-size.ts'
import type { ProposalResult } from '../../../src/replica/writes/proposals.ts'

function applied(index: number, value?: string[] | false): ProposalResult {
  return { kind: 'applied', outcome: { ok: true, index, ...(value !== undefined && { value }) } }
}

t.test('results that do not fit into one answer are left for another one', async (t) => {
  const long = (index: number) => applied(index, ['x'.repeat(96)])
  const failed = { kind: 'failed', code: 'busy', message: 'busy' } as const
  const all = [applied(1), long(2), long(3), applied(4, false), failed, long(5), applied(6)]
  t.strictSame(fittingResults(all), all)
  const notLeader = { kind: 'not-leader' }
  t.strictSame(fittingResults(all, 200), [...all.slice(0, 5), notLeader, applied(6)])
  t.strictSame(fittingResults([long(1), long(2)], 100), [long(1), notLeader], 'the first one fits')
})

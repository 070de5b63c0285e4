import type { ConfChangeRefusal, ConfChangeResult, TransferResult } from '../../raft/verdict.ts'

type Code =
  | ConfChangeRefusal
  | Extract<TransferResult, { readonly kind: 'refused' }>['reason']
  | Exclude<ConfChangeResult['kind'], 'accepted' | 'not-leader' | 'refused'>

const words: Readonly<Record<Code, string>> = {
  'already-a-member': 'it is already a member',
  'already-there': 'the member already has this address',
  'not-a-member': 'it is not a member',
  'not-a-learner': 'it is not a learner',
  'not-a-voter': 'it is not a voter',
  'invalid-id': 'the ID is empty',
  'learner-behind': 'it has not caught up with the log yet',
  'last-voter': 'it is the last voter',
  'quorum-not-live': 'the voters that answer would not form a majority',
  'already-leader': 'it is already the leader',
  'change-in-flight': 'another change of the members is in progress',
  'not-ready': 'the leader has not committed an entry of its term yet',
  transferring: 'leadership is being transferred',
}

/** Why the core takes no change of the members or no transfer, in words for an operator. */
export function refusalWords(code: Code): string {
  return words[code]
}

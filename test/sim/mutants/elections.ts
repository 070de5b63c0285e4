import type { Mutant } from '../node.ts'
import { core, server, sendEarly } from './kinds.ts'

export const votes: readonly Mutant[] = [
  core('vote-before-sync', '§5.2: a vote is on disk before it is sent', (_raft, driver) => {
    sendEarly(driver, ({ type }) => type === 'vote-response')
  }),
  core('vote-twice', '§5.2: one vote in a term', ({ election }) => {
    election.canVoteFor = () => true
  }),
  server('vote-forgotten', '§5.1: the vote survives a restart', ({ disk }) => {
    disk.hardState = { ...disk.hardState, vote: undefined }
  }),
  server('term-forgotten', '§5.1: the term survives a restart', ({ disk }) => {
    const term = Math.max(1, disk.hardState.term - 1)
    disk.hardState = { ...disk.hardState, term, vote: undefined }
  }),
  core(
    'up-to-date-by-index',
    '§5.4.1: the last terms are compared first',
    ({ election, state }) => {
      election.isUpToDate = ({ lastIndex }) => lastIndex >= state.log.lastIndex
    },
  ),
  core(
    'up-to-date-ignored',
    '§5.4.1: a vote is refused to a log that lacks entries',
    ({ election }) => {
      election.isUpToDate = () => true
    },
  ),
  core(
    'own-vote-before-sync',
    '§5.2: a candidate counts itself once its vote is on disk',
    (raft) => {
      const campaign = raft.election.campaign.bind(raft.election)
      raft.election.campaign = (kind) => {
        campaign(kind)
        const { state } = raft
        if (state.role === 'candidate') {
          state.durable = { ...state.durable, term: state.term, vote: state.id }
          raft.election.voteForSelf()
        }
      }
    },
  ),
]

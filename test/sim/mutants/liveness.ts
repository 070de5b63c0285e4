import type { Mutant } from '../node.ts'
import { core } from './kinds.ts'

export const liveness: readonly Mutant[] = [
  core('no-pre-vote', 'thesis §9.6: a cut-off server does not raise the term', ({ election }) => {
    const campaign = election.campaign.bind(election)
    election.campaign = (kind) => campaign(kind === 'pre-election' ? 'election' : kind)
  }),
  core(
    'late-refusal-heard',
    'a late answer in an election that is over unseats no live leader',
    ({ election }) => {
      const disrupts = election.disrupts.bind(election)
      election.disrupts = (message) => !message.type.endsWith('vote-response') && disrupts(message)
    },
  ),
  core('no-check-quorum', 'a leader that hears no quorum steps down', ({ replication }) => {
    replication.isQuorumActive = () => true
  }),
  core(
    'quorum-of-learners',
    'a leader that hears only learners steps down',
    ({ replication, state }) => {
      replication.isQuorumActive = () => {
        const { voters, learners } = state.config
        const active = [...voters, ...learners].filter((id) => replication.isActive(id))
        return active.length > voters.length / 2
      }
    },
  ),
  core(
    'timeout-now-early',
    'thesis §3.10: the heir has the whole log before it is told',
    ({ transfers, state }) => {
      const start = transfers.start.bind(transfers)
      transfers.start = (to) => {
        const result = start(to)
        if (result.kind === 'started') state.send({ type: 'timeout-now', to, term: state.term })
        return result
      }
    },
  ),
  core(
    'proposals-during-a-transfer',
    'thesis §3.10: nothing is proposed while leadership is handed over',
    (raft) => {
      const propose = raft.propose.bind(raft)
      raft.propose = (data) => {
        const { transferee } = raft.state
        raft.state.transferee = undefined
        const result = propose(data)
        raft.state.transferee = transferee
        return result
      }
    },
  ),
  core('zombie-leader', 'a leader whose disk hangs stops its heartbeats', ({ state }) => {
    Object.defineProperty(state, 'writeTicks', { get: () => 0, set: () => {} })
  }),
  core('broken-stream-ignored', 'a snapshot that did not arrive is sent again', (raft) => {
    raft.snapshotSent = () => {}
  }),
  core('stuck-candidate', 'a leader learns that a follower has a higher term', ({ follower }) => {
    follower.refuseLowerTerm = () => {}
  }),
  core(
    'heartbeat-never-probes',
    'what was lost is found out by the next heartbeat',
    ({ replication, state }) => {
      replication.handleHeartbeatResponse = ({ from }) => {
        const progress = state.progress.get(from)
        if (progress !== undefined) progress.recentActive = true
        return undefined
      }
    },
  ),
  core(
    'transfer-never-ends',
    'thesis §3.10: a transfer is given up after an election time-out',
    ({ transfers }) => {
      transfers.abort = () => {}
    },
  ),
]

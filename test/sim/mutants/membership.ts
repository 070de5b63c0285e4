import { emptyConfig } from '../../../src/raft/config.ts'
import type { Mutant } from '../node.ts'
import { core } from './kinds.ts'

export const membership: readonly Mutant[] = [
  core('second-config-in-flight', '§6: one change at a time', ({ membership }) => {
    membership.isInFlight = () => false
  }),
  core(
    'removed-self-counted',
    '§6: a leader that removes itself does not count itself',
    ({ replication, state }) => {
      const quorumIndex = replication.quorumIndex.bind(replication)
      replication.quorumIndex = () => {
        const { voters } = state.config
        if (voters.includes(state.id)) return quorumIndex()
        const all = [...voters, state.id]
          .map((id) => replication.matchOf(id))
          .toSorted((a, b) => b - a)
        return all[Math.floor(voters.length / 2)] ?? 0
      }
    },
  ),
  core(
    'config-not-rolled-back',
    '§6: a truncated configuration is no longer in force',
    ({ state: { configs } }) => {
      configs.truncateFrom = () => {}
    },
  ),
  core(
    'config-lost-in-snapshot',
    '§7: a snapshot brings the configuration',
    ({ state: { configs } }) => {
      const reset = configs.reset.bind(configs)
      configs.reset = ({ index }) => reset({ index, config: emptyConfig })
    },
  ),
  core(
    'change-before-own-term',
    'thesis §4.1: a leader first commits an entry of its term',
    ({ membership }) => {
      membership.isReady = () => true
    },
  ),
]

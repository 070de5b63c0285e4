import type { Pledge } from '../../../src/replica/cluster/formation.ts'
import type { Mutant } from '../node.ts'
import { process, onDuty } from './kinds.ts'

export const formation: readonly Mutant[] = [
  process('pledge-given-twice', 'a server pledges itself to one cluster', (_node, replica) => {
    replica.formation.onPledgeRequest = (asked, hasCluster) => {
      if (hasCluster) return { pledged: false }
      replica.marks.setPledge(asked)
      return { pledged: true }
    }
  }),
  process('pledge-not-persisted', 'a pledge is on disk before it is given', (_node, { marks }) => {
    let pledge: Pledge | undefined
    marks.setPledge = (given) => (pledge = given)
    Object.defineProperty(marks, 'pledge', { get: () => pledge })
  }),
  process(
    'refusal-taken-for-a-pledge',
    'all founders have pledged before the cluster begins',
    (_node, replica) => {
      const ask = replica.ask.bind(replica)
      replica.ask = async <T>(address: string, kind: string, body: unknown) => {
        const reply = await ask<T>(address, kind, body)
        return kind === 'pledge' ? ({ pledged: true } as T) : reply
      }
    },
  ),
  process(
    'pledge-freed-by-anyone',
    'a pledge is freed by whom it was given to, and nobody else',
    (_node, replica) => {
      const { formation, marks } = replica
      const answer = formation.onPledgeRequest.bind(formation)
      formation.onPledgeRequest = (asked, hasCluster) => {
        const { clusterId } = marks.pledge ?? asked
        const reply = answer({ ...asked, released: [...asked.released, clusterId] }, hasCluster)
        return reply
      }
    },
  ),
  process(
    'own-attempt-kept',
    'who pledges itself to a lower id gives up its own attempt',
    (_node, replica) => {
      const { formation, marks } = replica
      const answer = formation.onPledgeRequest.bind(formation)
      formation.onPledgeRequest = (asked, hasCluster) => {
        const before = marks.pledge
        const reply = answer(asked, hasCluster)
        if (before !== undefined) marks.setPledge(before)
        return reply
      }
    },
  ),
  process(
    'pledge-never-freed',
    'the pledge to an attempt that was given up is free again',
    (_node, replica) => {
      const { formation } = replica
      const answer = formation.onPledgeRequest.bind(formation)
      formation.onPledgeRequest = (asked, hasCluster) =>
        answer({ ...asked, released: [] }, hasCluster)
    },
  ),
]

export const duties: readonly Mutant[] = [
  process(
    'promoted-before-caught-up',
    'thesis §4.2.1: a learner votes only once it keeps up',
    (_node, replica) => {
      onDuty(replica, (server) => {
        const [id] = server.status.config.learners
        if (id !== undefined) replica.changeMembers({ kind: 'promote', id, force: true })
      })
    },
  ),
  process(
    'two-promoted-at-once',
    '§6: one change at a time, of the leader itself as well',
    (_node, replica) => {
      onDuty(replica, ({ status, driver: { raft } }) => {
        raft.membership.isInFlight = () => false
        for (const id of status.config.learners) raft.proposeConfChange({ kind: 'promote', id })
      })
    },
  ),
]

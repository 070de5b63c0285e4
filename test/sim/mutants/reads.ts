import { must } from '../../../src/base/assert.ts'
import type { Mutant } from '../node.ts'
import { core } from './kinds.ts'

export const reads: readonly Mutant[] = [
  core(
    'read-without-quorum',
    '§8: a leader asks a quorum before it answers a read',
    ({ readIndexes, state }) => {
      const confirm = readIndexes.finishIfConfirmed.bind(readIndexes)
      readIndexes.finishIfConfirmed = () => {
        for (const id of state.config.voters) state.reads.round?.acks.add(id)
        confirm()
      }
    },
  ),
  core(
    'read-before-own-term',
    '§8: a new leader first commits an entry of its term',
    ({ readIndexes }) => {
      readIndexes.knowsCommit = () => true
    },
  ),
  core('read-token-reused', 'the token of a round is new', ({ state: { reads } }) => {
    const make = reads.makeToken.bind(reads)
    reads.makeToken = () => (reads.token === 0 ? make() : reads.token)
  }),
  core('read-before-apply', 'a read waits until its index is applied', (_raft, driver) => {
    const process = driver.process.bind(driver)
    driver.process = (ready) =>
      process({ ...ready, reads: ready.reads.map((read) => ({ ...read, index: 0 })) })
  }),
]

export const defaultReads: readonly Mutant[] = [
  core(
    'leader-reads-unasked',
    'a leader asks a quorum, unless it is one by itself',
    (raft, _driver, node) => {
      const server = must(node.server)
      Object.defineProperty(server, 'isAlone', { get: () => raft.state.role === 'leader' })
    },
  ),
  core(
    'follower-reads-own-commit',
    'a follower asks the leader how far a read must see',
    ({ readIndexes, state }) => {
      const read = readIndexes.read.bind(readIndexes)
      readIndexes.read = (requestId) => {
        if (state.role !== 'follower' || state.leader === undefined) return read(requestId)
        state.reads.resolve(requestId, state.log.commit)
        return { kind: 'pending' }
      }
    },
  ),
  core(
    'ack-of-an-older-round',
    'a round is confirmed by acknowledgements of its own token',
    ({ readIndexes, state }) => {
      const handle = readIndexes.handleAck.bind(readIndexes)
      readIndexes.handleAck = (message) =>
        handle({
          ...message,
          readToken: Math.max(message.readToken, state.reads.round?.token ?? 0),
        })
    },
  ),
  core(
    'acks-kept-for-the-next-round',
    'each round is acknowledged anew',
    ({ state: { reads } }) => {
      const start = reads.startRound.bind(reads)
      let acks = new Set<string>()
      reads.startRound = (index) => {
        start(index)
        const round = must(reads.round)
        for (const id of acks) round.acks.add(id)
        acks = round.acks
      }
    },
  ),
  core('read-confirmed-by-learners', 'a read is confirmed by voters', ({ readIndexes, state }) => {
    const confirm = readIndexes.finishIfConfirmed.bind(readIndexes)
    readIndexes.finishIfConfirmed = () => {
      const acks = state.reads.round?.acks
      if (acks !== undefined && acks.size > state.config.voters.length / 2) {
        for (const id of state.config.voters) acks.add(id)
      }
      confirm()
    }
  }),
]

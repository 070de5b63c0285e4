import { must } from '../../src/base/assert.ts'
import { emptyConfig } from '../../src/raft/config.ts'
import type { Driver } from '../../src/raft/driver.ts'
import { RaftLog } from '../../src/raft/log.ts'
import type { Message } from '../../src/raft/message.ts'
import type { Raft } from '../../src/raft/raft.ts'
import type { LogWrite } from '../../src/raft/storage.ts'
import type { Mutant, SimNode } from './node.ts'

/** A rule of the core is replaced on one instance, from outside: the core has no switch for it. */
function core(name: string, about: string, change: (raft: Raft, driver: Driver) => void): Mutant {
  return {
    name,
    about,
    afterBoot: (node) => {
      const driver = must(node.driver)
      change(driver.raft, driver)
    },
  }
}

function server(name: string, about: string, beforeBoot: (node: SimNode) => void): Mutant {
  return { name, about, beforeBoot }
}

/** The driver sends what `isEarly` picks without waiting for the disk. */
function sendEarly(driver: Driver, isEarly: (message: Message) => boolean): void {
  const process = driver.process.bind(driver)
  driver.process = (ready) => {
    const early = ready.messagesAfterWrite.filter(isEarly)
    const late = ready.messagesAfterWrite.filter((message) => !isEarly(message))
    process({ ...ready, messages: [...ready.messages, ...early], messagesAfterWrite: late })
  }
}

/** The log hands out what is committed up to `limit`, whether it is durable or not. */
function applyUpTo(log: RaftLog, limit: () => number): void {
  log.takeCommitted = (maxBytes) => {
    const to = Math.min(log.commit, limit())
    if (log.isRestoring || to <= log.applied) return []
    return log.entries(log.applied + 1, to, maxBytes)
  }
}

const votes: readonly Mutant[] = [
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

const replication: readonly Mutant[] = [
  core(
    'acknowledge-before-sync',
    '§5.3: entries are on disk before they are acknowledged',
    (_raft, driver) => {
      sendEarly(driver, ({ type }) => type === 'append-response')
    },
  ),
  core(
    'count-own-unsynced',
    '§5.3: a leader counts its own disk, not its memory',
    ({ replication, state }) => {
      const matchOf = replication.matchOf.bind(replication)
      replication.matchOf = (id) => (id === state.id ? state.log.lastIndex : matchOf(id))
    },
  ),
  core('count-old-term', '§5.4.2: only entries of the own term are counted', ({ replication }) => {
    replication.isOwnTerm = () => true
  }),
  core('no-noop', '§8: a leader opens its term with an entry', ({ state }) => {
    state.openTerm = () => {
      state.termStart = 0
    }
  }),
  core(
    'consistency-by-index',
    '§5.3: the entry before must have the same term',
    ({ follower, state }) => {
      follower.isConsistent = ({ prevIndex }) => prevIndex <= state.log.lastIndex
    },
  ),
  core(
    'conflict-kept',
    '§5.3: a conflicting entry and all behind it are deleted',
    ({ state: { log } }) => {
      log.merge = (entries) => {
        const added = entries.filter((entry) => entry.index > log.lastIndex)
        log.append(added)
        return { added, cutFrom: undefined }
      }
    },
  ),
  core('cut-without-conflict', '§5.3: a short old message cuts nothing', ({ state: { log } }) => {
    log.merge = (entries) => {
      const first = entries[0]
      if (first === undefined) return { added: [], cutFrom: undefined }
      const cutFrom = first.index <= log.lastIndex ? first.index : undefined
      if (cutFrom !== undefined) log.truncateFrom(cutFrom)
      log.append(entries)
      return { added: entries, cutFrom }
    }
  }),
  core(
    'heartbeat-beyond-match',
    '§5.3: a heartbeat commits only what is known to match',
    ({ replication, state, follower }) => {
      replication.commitFor = () => state.log.commit
      const handle = follower.handleHeartbeat.bind(follower)
      follower.handleHeartbeat = (message) =>
        handle({ ...message, commit: Math.min(message.commit, state.log.lastIndex) })
    },
  ),
  core('lower-term-taken', '§5.1: a message of a lower term is refused', (raft) => {
    const step = raft.step.bind(raft)
    raft.step = (message) =>
      message.type === 'append-request' &&
      message.term < raft.state.term &&
      raft.state.role === 'follower'
        ? step({ ...message, term: raft.state.term })
        : step(message)
  }),
  core(
    'commit-of-a-minority',
    '§5.3: a majority holds what is committed',
    ({ replication, state }) => {
      replication.quorumIndex = () => {
        const { voters } = state.config
        const matches = voters.map((id) => replication.matchOf(id)).toSorted((a, b) => b - a)
        return matches[Math.floor((voters.length - 1) / 2)] ?? 0
      }
    },
  ),
  core(
    'late-write-counts',
    'a write under way does not count for what replaced its entries',
    ({ state: { log } }) => {
      const persisted = log.batchPersisted.bind(log)
      const takeBatch = log.takeBatch.bind(log)
      let [end, written] = [0, 0]
      log.takeBatch = () => {
        const batch = takeBatch()
        if (batch !== undefined) end = log.lastIndex
        return batch
      }
      log.batchPersisted = () => {
        persisted()
        written = end
      }
      Object.defineProperty(log, 'persisted', {
        get: () =>
          Math.max(
            Reflect.get(RaftLog.prototype, 'persisted', log),
            Math.min(written, log.lastIndex),
          ),
      })
    },
  ),
]

const reads: readonly Mutant[] = [
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

const membership: readonly Mutant[] = [
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

const state: readonly Mutant[] = [
  server(
    'applied-twice',
    'the applied index changes in the transaction of the state',
    ({ machine }) => {
      machine.state.index = Math.min(machine.state.index, Math.max(1, machine.checkpoint.index))
    },
  ),
  core('applied-before-sync', 'the state never outruns the log on disk', ({ state: { log } }) => {
    applyUpTo(log, () => log.lastIndex)
  }),
  {
    name: 'requests-lost-in-snapshot',
    about: 'a snapshot holds the requests that were applied',
    beforeBoot: ({ machine }) => {
      const set = machine.files.set.bind(machine.files)
      machine.files.set = (index, file) => set(index, { ...file, requests: new Map() })
    },
  },
  core(
    'log-kept-under-snapshot',
    '§7: a snapshot replaces the log that does not reach it',
    ({ follower, state }) => {
      const handle = follower.handleSnapshot.bind(follower)
      follower.handleSnapshot = (message) => {
        const { snapshot } = message
        handle({
          ...message,
          snapshot: { ...snapshot, term: state.log.term(snapshot.index) ?? snapshot.term },
        })
      }
    },
  ),
  core('write-without-truncation', 'what is cut in memory is cut on the disk', (_raft, driver) => {
    const persist = driver.persist.bind(driver)
    driver.persist = (write: LogWrite, messages) => {
      if (write.truncateFrom === undefined) return persist(write, messages)
      persist({ ...write, truncateFrom: undefined, entries: [] }, messages)
    }
  }),
]

const liveness: readonly Mutant[] = [
  core('no-pre-vote', 'thesis §9.6: a cut-off server does not raise the term', ({ election }) => {
    const campaign = election.campaign.bind(election)
    election.campaign = (kind) => campaign(kind === 'pre-election' ? 'election' : kind)
  }),
  core('no-check-quorum', 'a leader that hears no quorum steps down', ({ replication }) => {
    replication.isQuorumActive = () => true
  }),
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

export const mutants: readonly Mutant[] = [
  ...votes,
  ...replication,
  ...reads,
  ...membership,
  ...state,
  ...liveness,
]

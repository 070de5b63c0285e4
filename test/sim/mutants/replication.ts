import { RaftLog } from '../../../src/raft/log.ts'
import type { LogWrite } from '../../../src/raft/storage.ts'
import { machineOf } from '../machine.ts'
import type { Mutant } from '../node.ts'
import { core, server, sendEarly, applyUpTo } from './kinds.ts'

export const replication: readonly Mutant[] = [
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
    'commit-to-own-last-index',
    '§5.3: a follower commits only what the message shows to match',
    ({ follower, state }) => {
      follower.commitAfter = ({ commit }) => Math.min(commit, state.log.lastIndex)
    },
  ),
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

export const state: readonly Mutant[] = [
  server('applied-twice', 'the applied index changes in the transaction of the state', (node) => {
    const machine = machineOf(node)
    machine.state.index = Math.min(machine.state.index, Math.max(1, machine.checkpoint.index))
  }),
  core('applied-before-sync', 'the state never outruns the log on disk', ({ state: { log } }) => {
    applyUpTo(log, () => log.lastIndex)
  }),
  {
    name: 'requests-lost-in-snapshot',
    about: 'a snapshot holds the requests that were applied',
    beforeBoot: (node) => {
      const machine = machineOf(node)
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
